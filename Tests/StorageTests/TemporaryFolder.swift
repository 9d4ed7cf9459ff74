import Glibc

@testable import Storage

/// A folder of its own for one test, removed when the test is over.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/storage-tests-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap(mkdtemp) }
        precondition(made != nil, "no temporary folder: \(errno)")
        path = template.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    deinit { try? FolderTree.remove(path) }

    /// The path of a name in the folder.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file without any of the code under test.
    func write(_ bytes: some Collection<UInt8>, to name: String) -> String {
        let path = file(name)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        precondition(descriptor >= 0, "\(path): \(errno)")
        defer { close(descriptor) }
        let bytes = [UInt8](bytes)
        precondition(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        return path
    }

    /// Writes a file without any of the code under test.
    func write(_ text: String, to name: String) -> String { write(text.utf8, to: name) }

    /// The names in the folder, hidden ones included.
    var names: [String] { get throws { try FolderTree.names(in: path) } }
}

/// The content of a file, read without any of the code under test.
func rawContents(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    precondition(descriptor >= 0, "\(path): \(errno)")
    defer { close(descriptor) }
    var result: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count <= 0 { return result }
        result += chunk[..<count]
    }
}
