import FoundationEssentials
import Storage
import TestSupport

/// What scripts/evaluation/make_goldens.py made with the real harness.
enum Fixture {
    /// The path of a file or folder of fixtures.
    static func path(_ name: String) -> String { Fixtures.path(name) }

    /// The content of a JSON file.
    static func json(_ name: String) throws -> JSONValue {
        try JSONValue.read(path(name), options: JSONOptions(allowsNonFinite: true))
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

extension TemporaryFolder {
    /// Writes a file and the folders above it, and returns its path.
    @discardableResult
    func write(_ text: String, below name: String) -> String {
        let folder = FilePath.folder(of: file(name))
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            preconditionFailure("cannot make \(folder): \(error)")
        }
        return write(text, to: name)
    }
}
