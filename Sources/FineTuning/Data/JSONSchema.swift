import Storage

/// The part of JSON Schema that describes flat records.
///
/// Known are `type`, `required`, `properties`, `additionalProperties` (true or false) and
/// `minLength`, and the keywords that only describe: `$schema`, `$id`, `title`, `description`,
/// `default`, `examples`. Any other keyword is refused when the schema is read: a rule that is not
/// understood must not seem to be kept.
///
/// Source: JSON Schema, draft 2020-12. A value of a property is checked at one level only.
public struct JSONSchema: Equatable, Sendable {
    /// What is wrong with a schema.
    public enum Fault: Error, Equatable {
        /// A keyword is not one of those known here.
        case unknownKeyword(schema: String, keyword: String)
        /// A keyword has an invalid value, or none that is known here.
        case invalid(schema: String, keyword: String)
    }

    private var type: String?
    private var required: [String] = []
    private var properties: [(name: String, schema: JSONSchema)] = []
    private var allowsOthers = true
    private var minLength = 0

    private static let types = [
        "null", "boolean", "integer", "number", "string", "array", "object",
    ]
    private static let annotations: Set<String> = [
        "$schema", "$id", "title", "description", "default", "examples",
    ]

    /// Reads a schema.
    ///
    /// - Parameters:
    ///   - value: The schema.
    ///   - name: What messages call it.
    /// - Throws: ``Fault``.
    public init(_ value: JSONValue, name: String) throws {
        guard let object = value.objectValue else {
            throw Fault.invalid(schema: name, keyword: "schema")
        }
        try self.init(object, name: name, level: 0)
    }

    private init(_ object: JSONObject, name: String, level: Int) throws {
        for member in object.members where !JSONSchema.annotations.contains(member.key) {
            let fault = Fault.invalid(schema: name, keyword: member.key)
            switch member.key {
            case "type":
                guard let type = member.value.stringValue, JSONSchema.types.contains(type) else {
                    throw fault
                }
                self.type = type
            case "minLength":
                guard let least = member.value.integerValue, least >= 0 else { throw fault }
                minLength = least
            case "required" where level == 0:
                guard let names = member.value.arrayValue else { throw fault }
                required = names.compactMap(\.stringValue)
                guard required.count == names.count else { throw fault }
            case "additionalProperties" where level == 0:
                guard let allows = member.value.boolValue else { throw fault }
                allowsOthers = allows
            case "properties" where level == 0:
                guard let members = member.value.objectValue?.members else { throw fault }
                properties = try members.map {
                    guard let object = $0.value.objectValue else { throw fault }
                    return ($0.key, try JSONSchema(object, name: name, level: 1))
                }
            default:
                throw Fault.unknownKeyword(schema: name, keyword: member.key)
            }
        }
    }

    /// Whether both state the same rules.
    public static func == (left: JSONSchema, right: JSONSchema) -> Bool {
        left.type == right.type && left.required == right.required
            && left.allowsOthers == right.allowsOthers && left.minLength == right.minLength
            && left.properties.elementsEqual(right.properties, by: ==)
    }
}

extension JSONSchema {
    /// Checks a record.
    ///
    /// - Parameter record: The record.
    /// - Throws: ``JSONError`` for a field that is missing or of another kind, ``DataError`` for one
    ///   that is too short or unknown; the first in the schema's order.
    public func validate(_ record: JSONRecord) throws {
        for name in required where record.object[name] == nil {
            throw JSONError.missingField(place: record.place, field: name)
        }
        for (name, schema) in properties {
            guard let value = record.object[name] else { continue }
            try schema.check(value, place: record.place, field: name)
        }
        guard !allowsOthers else { return }
        for key in record.object.keys where !properties.contains(where: { $0.name == key }) {
            throw DataError.unexpectedField(place: record.place, field: key)
        }
    }

    private func check(_ value: JSONValue, place: String, field: String) throws {
        if let type, !JSONSchema.matches(value, type) {
            throw JSONError.fieldKind(
                place: place, field: field, found: value.kind,
                expected: JSONSchema.words[type] ?? type)
        }
        // The standard counts characters as code points.
        if let text = value.stringValue, text.utf8.count < 4 * minLength,
            text.unicodeScalars.count < minLength
        {
            throw DataError.emptyField(place: place, field: field, least: minLength)
        }
    }

    private static let words = [
        "null": "null", "boolean": "true or false", "integer": "an integer",
        "number": "a number", "string": "a string", "array": "an array", "object": "an object",
    ]

    private static func matches(_ value: JSONValue, _ type: String) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("integer", .integer), ("number", .integer),
            ("number", .number), ("string", .string), ("array", .array), ("object", .object):
            true
        case ("integer", .number(let number)): number.rounded() == number
        default: false
        }
    }
}

extension JSONSchema.Fault: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .unknownKeyword(let schema, let keyword):
            "\(schema): keyword \(quoted(keyword)) is not supported"
        case .invalid(let schema, let keyword):
            "\(schema): keyword \(quoted(keyword)) has a value that is not supported"
        }
    }
}
