/// A JSON value whose strings are bytes.
///
/// A vocabulary must not pass through `String` keys: canonically equal strings compare equal, so
/// two tokens that differ in bytes would become one. Strings are valid UTF-8.
enum JSONValue {
    case null
    case boolean(Bool)
    case number(Double)
    case string([UInt8])
    case array([JSONValue])
    case object([JSONMember])

    /// The kind of value, with its article, for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// One member of an object, in the order of the file.
struct JSONMember {
    let key: [UInt8]
    let value: JSONValue
}
