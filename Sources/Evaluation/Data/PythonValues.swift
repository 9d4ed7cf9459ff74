import Jinja
import Python
import Storage

extension JSONValue {
    /// Python's `==`: keys in any order, and numbers by value, truth values among them.
    func equalsInPython(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.string(let left), .string(let right)): left.hasSameScalars(as: right)
        case (.array(let left), .array(let right)):
            left.elementsEqual(right) { $0.equalsInPython($1) }
        case (.object(let left), .object(let right)): left.equalsInPython(right)
        case (.null, .null): true
        default:
            if let left = asInteger, let right = other.asInteger {
                left == right
            } else if let left = asNumber, let right = other.asNumber {
                left == right
            } else {
                false
            }
        }
    }

    /// The integer; truth values count as 0 and 1, as in Python.
    var asInteger: Int? { integerValue ?? boolValue.map { $0 ? 1 : 0 } }

    private var asNumber: Double? { numberValue ?? asInteger.map(Double.init) }

    /// The value as templates see it.
    var templateValue: Jinja.Value {
        switch self {
        case .null: .none
        case .bool(let value): .bool(value)
        case .integer(let value): .int(value)
        case .number(let value): .float(value)
        case .string(let value): .string(value)
        case .array(let values): .list(values.map(\.templateValue))
        case .object(let object): .dictionary(object.templateValues)
        }
    }

    /// Python's `str`.
    func pythonText() throws -> String {
        if let text = stringValue { return text }
        return try Template("{{ value }}", name: "str")
            .render(ValueDictionary([("value", templateValue)]))
    }
}

extension JSONObject {
    /// The members as the names of a template.
    var templateValues: ValueDictionary {
        ValueDictionary(members.map { ($0.key, $0.value.templateValue) })
    }

    func equalsInPython(_ other: JSONObject) -> Bool {
        count == other.count
            && members.allSatisfy { member in
                other[member.key].map { member.value.equalsInPython($0) } ?? false
            }
    }
}

extension Jinja.Value {
    /// The value as JSON; nil for what only templates know.
    var jsonValue: JSONValue? {
        switch self {
        case .none: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .integer(value)
        case .float(let value): return .number(value)
        case .string(let value): return .string(value)
        case .list(let values), .tuple(let values):
            let items = values.compactMap(\.jsonValue)
            return items.count == values.count ? .array(items) : nil
        case .dictionary(let dictionary):
            var object = JSONObject()
            for (key, value) in zip(dictionary.keys, dictionary.values) {
                guard case .string(let key) = key, let value = value.jsonValue else { return nil }
                object[key] = value
            }
            return .object(object)
        case .undefined, .function, .object: return nil
        }
    }
}

extension JSONValue {
    /// What a literal of Python stands for, with tuples as arrays.
    init(_ literal: PythonValue) {
        switch literal {
        case .none: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .integer(value)
        case .float(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .list(let items): self = .array(items.map { JSONValue($0) })
        case .dictionary(let entries):
            var object = JSONObject()
            for (key, value) in entries { object[key] = JSONValue(value) }
            self = .object(object)
        }
    }
}
