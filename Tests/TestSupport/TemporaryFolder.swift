import FoundationEssentials

/// A folder of its own for one test, removed when the value is no longer used.
///
/// None of the code under test is used; what fails here ends the test run.
public final class TemporaryFolder {
    /// The path.
    public let path: String

    /// Creates an empty folder.
    public init() {
        path = FileManager.default.temporaryDirectory.path + "/mtl-test-\(UUID().uuidString)"
        demand("make \(path)") {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in the folder.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file and returns its path.
    @discardableResult
    public func write(_ bytes: some Sequence<UInt8>, to name: String) -> String {
        demand("write \(name)") { try Data(bytes).write(to: URL(filePath: file(name))) }
        return file(name)
    }

    /// Writes a file and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String) -> String { write(text.utf8, to: name) }

    /// Makes a folder in the folder, and those around it.
    public func makeFolders(_ name: String) {
        demand("make \(name)") {
            try FileManager.default.createDirectory(
                atPath: file(name), withIntermediateDirectories: true)
        }
    }

    /// The names in the folder or in one below it, sorted, hidden ones included.
    public func names(in folder: String = "") -> [String] {
        demand("list \(path)") {
            try FileManager.default.contentsOfDirectory(atPath: file(folder)).sorted()
        }
    }
}

/// The content of a file, read without any of the code under test.
public func rawContents(_ path: String) -> [UInt8] {
    demand("read \(path)") { [UInt8](try Data(contentsOf: URL(filePath: path))) }
}

private func demand<Result>(_ action: String, _ body: () throws -> Result) -> Result {
    do { return try body() } catch { preconditionFailure("cannot \(action): \(error)") }
}
