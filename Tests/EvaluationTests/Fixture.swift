import Foundation
import Storage

/// What scripts/evaluation/make_goldens.py made with the real harness.
enum Fixture {
    /// The path of a file or folder of fixtures.
    static func path(_ name: String) throws -> String {
        struct Missing: Error {}
        guard let folder = Bundle.module.resourcePath else { throw Missing() }
        return "\(folder)/Fixtures/\(name)"
    }

    /// The content of a JSON file.
    static func json(_ name: String) throws -> JSONValue {
        try JSONValue.read(try path(name), options: JSONOptions(allowsNonFinite: true))
    }
}

extension JSONValue {
    /// A member that must be there.
    func member(_ key: String) throws -> JSONValue {
        try JSONFields(self, file: "fixture").value(key)
    }

    /// The elements, none if this is no array.
    var elements: [JSONValue] { arrayValue ?? [] }

    /// The elements as numbers.
    var numbers: [Double] { elements.compactMap(\.numberValue) }

    /// The elements as integers.
    var integers: [Int] { elements.compactMap(\.integerValue) }
}

/// A folder of its own for one test, removed when the test is over.
final class TemporaryFolder {
    let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("evaluation-tests-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, with the folders above it, and returns its path.
    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        let folder = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// The content of a file.
    func read(_ name: String) throws -> String {
        String(
            decoding: try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")), as: UTF8.self)
    }

    /// The names in the folder and below, sorted.
    var names: [String] {
        get throws { try FileManager.default.subpathsOfDirectory(atPath: path).sorted() }
    }
}
