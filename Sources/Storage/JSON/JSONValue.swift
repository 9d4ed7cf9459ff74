/// A JSON value that keeps what the text said: the order of members, and integers as integers.
///
/// Strings are equal if their bytes are; `1` and `1.0` differ.
public enum JSONValue: Sendable {
    /// `null`
    case null
    /// `true` or `false`
    case bool(Bool)
    /// A number without fraction and exponent that fits.
    case integer(Int)
    /// Any other number.
    case number(Double)
    /// A text.
    case string(String)
    /// Values in order.
    case array([JSONValue])
    /// Members in order.
    case object(JSONObject)
}

extension JSONValue: Equatable {
    /// Whether both are of one kind and hold the same.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.isExactly(right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSONValue {
    /// Whether this is `null`.
    public var isNull: Bool { self == .null }

    /// The truth value, nil if this is none.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The integer, nil if this is none; `2.0` is none.
    public var integerValue: Int? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The number, integers included; nil if this is none.
    public var numberValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The text, nil if this is none.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements, nil if this is no array.
    public var arrayValue: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members, nil if this is no object.
    public var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The value of a key, nil if there is none or this is no object.
    public subscript(key: String) -> JSONValue? { objectValue?[key] }

    /// What the value is, in words: "null", "a string", "an object".
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a truth value"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral {
    /// `nil` is `null`.
    public init(nilLiteral: ()) { self = .null }
}

extension JSONValue: ExpressibleByBooleanLiteral {
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSONValue: ExpressibleByIntegerLiteral {
    /// An integer.
    public init(integerLiteral value: Int) { self = .integer(value) }
}

extension JSONValue: ExpressibleByFloatLiteral {
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
}

extension JSONValue: ExpressibleByStringLiteral {
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
}

extension JSONValue: ExpressibleByArrayLiteral {
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    /// An object with its members in order.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

extension JSONValue {
    /// Reads a JSON text.
    ///
    /// - Parameters:
    ///   - bytes: The text in UTF-8: one value, with white space around it at most.
    ///   - file: The name that messages begin with.
    ///   - firstLine: The number of the first line, for messages.
    ///   - options: What is accepted.
    /// - Throws: ``JSONError/syntax(file:line:column:fault:)``.
    public init(
        parsing bytes: [UInt8], file: String, firstLine: Int = 1,
        options: JSONOptions = JSONOptions()
    ) throws(JSONError) {
        self = try JSONText.locating(bytes, file: file, firstLine: firstLine) {
            (bytes) throws(JSONParser.Failure) in
            var parser = JSONParser(bytes, options: options)
            return try parser.document()
        }
    }

    /// Reads a JSON text.
    ///
    /// - Parameters:
    ///   - text: One value, with white space around it at most.
    ///   - file: The name that messages begin with.
    ///   - options: What is accepted.
    /// - Throws: ``JSONError/syntax(file:line:column:fault:)``.
    public init(
        parsing text: String, file: String, options: JSONOptions = JSONOptions()
    ) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), file: file, options: options)
    }

    /// Reads a JSON file, plain or zstd-compressed; a byte order mark is skipped.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limit: The largest accepted size of the text, in bytes.
    ///   - options: What is accepted.
    /// - Returns: The value.
    /// - Throws: ``FileError`` or ``JSONError``.
    public static func read(
        _ path: String, limit: Int = 64 << 20, options: JSONOptions = JSONOptions()
    ) throws -> JSONValue {
        try JSONValue(
            parsing: JSONText.contents(of: path, limit: limit), file: path, options: options)
    }
}

/// What readers of whole JSON texts share.
enum JSONText {
    /// The bytes of a file, decompressed, without a byte order mark.
    static func contents(of path: String, limit: Int) throws -> [UInt8] {
        var bytes = try ByteStream.contents(of: path, limit: limit)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        return bytes
    }

    /// Runs a parser; says of a failure in which line and column it is.
    static func locating<Result>(
        _ bytes: [UInt8], file: String, firstLine: Int = 1,
        _ body: (UnsafeBufferPointer<UInt8>) throws(JSONParser.Failure) -> Result
    ) throws(JSONError) -> Result {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
            try locating(buffer, file: file, firstLine: firstLine, body)
        }
    }

    /// Runs a parser; says of a failure in which line and column it is.
    static func locating<Result>(
        _ bytes: UnsafeBufferPointer<UInt8>, file: String, firstLine: Int,
        _ body: (UnsafeBufferPointer<UInt8>) throws(JSONParser.Failure) -> Result
    ) throws(JSONError) -> Result {
        do {
            return try body(bytes)
        } catch {
            let before = bytes[..<min(error.offset, bytes.count)]
            let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            // A character begins at every byte but those that continue one.
            let column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
            throw .syntax(
                file: file, line: firstLine + lineFeeds(in: before), column: column,
                fault: error.fault)
        }
    }

    /// The number of line feeds.
    static func lineFeeds(in bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        bytes.count { $0 == UInt8(ascii: "\n") }
    }
}
