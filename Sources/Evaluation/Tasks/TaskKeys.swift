import Jinja
import Storage
import YAML

/// Reads the keys of a task file, with errors that name file and key; `null` counts as absent.
struct TaskKeys {
    let file: String
    let keys: JSONObject
    private let prefix: String

    init(_ file: TaskFile) { self.init(file: file.path, keys: file.keys) }

    init(file: String, keys: JSONObject, prefix: String = "") {
        (self.file, self.keys, self.prefix) = (file, keys, prefix)
    }

    subscript(key: String) -> JSONValue? {
        guard let value = keys[key], !value.isNull else { return nil }
        return value
    }

    func failure(_ key: String, _ found: JSONValue, expected: String) -> TaskError {
        .kind(
            file: file, key: prefix + key,
            found: found.functionName == nil ? found.kind : "a function",
            expected: expected)
    }

    func string(_ key: String) throws(TaskError) -> String {
        guard let text = try string(ifPresent: key) else {
            throw .missingKey(file: file, key: prefix + key)
        }
        return text
    }

    func string(ifPresent key: String) throws(TaskError) -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.stringValue else { throw failure(key, value, expected: "text") }
        return text
    }

    func integer(ifPresent key: String) throws(TaskError) -> Int? {
        guard let value = self[key] else { return nil }
        guard let number = value.integerValue, number >= 0 else {
            throw failure(key, value, expected: "an integer of at least 0")
        }
        return number
    }

    func bool(ifPresent key: String) throws(TaskError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard let truth = value.boolValue else {
            throw failure(key, value, expected: "true or false")
        }
        return truth
    }

    func object(ifPresent key: String) throws(TaskError) -> TaskKeys? {
        guard let value = self[key] else { return nil }
        guard let object = value.objectValue, value.functionName == nil else {
            throw failure(key, value, expected: "a mapping")
        }
        return TaskKeys(file: file, keys: object, prefix: prefix + key + ".")
    }

    /// A text or a list of texts; empty if absent.
    func strings(_ key: String) throws(TaskError) -> [String] {
        guard let value = self[key] else { return [] }
        let items = value.arrayValue ?? [value]
        let texts = items.compactMap(\.stringValue)
        guard texts.count == items.count else {
            throw failure(key, value, expected: "text or a list of texts")
        }
        return texts
    }

    /// A list of mappings, nil if absent.
    func objects(ifPresent key: String) throws(TaskError) -> [TaskKeys]? {
        guard let value = self[key] else { return nil }
        let items = value.arrayValue ?? [value]
        let objects = items.compactMap(\.objectValue)
        guard objects.count == items.count else {
            throw failure(key, value, expected: "a list of mappings")
        }
        return objects.map { TaskKeys(file: file, keys: $0, prefix: prefix + key + ".") }
    }

    /// Where a document's text comes from, nil if absent.
    func field(ifPresent key: String) throws(TaskError) -> DocumentField? {
        guard let value = self[key] else { return nil }
        if value.functionName != nil { return .function(try function(key, value)) }
        guard let text = value.stringValue else { return .constant(value) }
        do {
            return .text(text, try Template(text, name: "\(file): key '\(prefix)\(key)'"))
        } catch {
            // The name of a field need not be a template.
            let problem = "\(error)"
            if text.contains("{{") || text.contains("{%") || text.contains("{#") {
                throw .template(file: file, key: prefix + key, problem: problem)
            }
            return .text(text, nil)
        }
    }

    /// A Python function, nil if absent.
    func function(ifPresent key: String) throws(TaskError) -> NativeFunction? {
        guard let value = self[key] else { return nil }
        guard value.functionName != nil else { throw failure(key, value, expected: "!function") }
        return try function(key, value)
    }

    private func function(_ key: String, _ value: JSONValue) throws(TaskError) -> NativeFunction {
        try NativeFunction.find(
            value.functionName ?? "", namedIn: value["file"]?.stringValue ?? file,
            task: self, key: prefix + key)
    }
}

extension JSONValue {
    /// The name of a Python function, nil if this is none.
    var functionName: String? { self[YAMLNode.functionKey]?.stringValue }
}
