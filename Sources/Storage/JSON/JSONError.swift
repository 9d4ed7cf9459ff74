/// What can be wrong with a JSON text, or with what it says.
public enum JSONError: Error, Equatable {
    /// The text breaks a rule; lines and columns (in characters) count from 1.
    case syntax(file: String, line: Int, column: Int, fault: JSONFault)
    /// A record is not an object. `place` is the file, with the line if it holds many records.
    case recordKind(place: String, found: String)
    /// The file holds no array of records.
    case notRecords(file: String, found: String)
    /// The name says nothing about how records are stored.
    case unknownSuffix(file: String)
    /// Blank lines between records come to more than `limit` bytes.
    case blankLines(file: String, line: Int, limit: Int)
    /// A field is not there.
    case missingField(place: String, field: String)
    /// A field holds another kind of value.
    case fieldKind(place: String, field: String, found: String, expected: String)
}

/// The rule a JSON text breaks.
public enum JSONFault: Equatable, Sendable {
    /// The text ends too early.
    case end(expected: String)
    /// Something else stands where `expected` should.
    case unexpected(found: String, expected: String)
    /// A character below U+0020 stands in a string.
    case controlCharacter(UInt8)
    /// A backslash is followed by none of `"\/bfnrt` and four hexadecimal digits after `u`.
    case badEscape
    /// Half of a surrogate pair stands alone; Python accepts it, Unicode text cannot hold it.
    case loneSurrogate(UInt16)
    /// A string is not UTF-8.
    case notUTF8
    /// A number is too large for double precision.
    case numberRange
    /// Values are nested deeper than `limit`.
    case depth(limit: Int)
    /// There are more values than `limit`.
    case values(limit: Int)
    /// A key appears twice where that is refused.
    case duplicateKey(String)
}

extension JSONError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .syntax(let file, let line, let column, let fault):
            "\(quotedPath(file)):\(line):\(column): \(fault)"
        case .recordKind(let place, let found):
            "\(quotedPath(place)): record is \(found), expected an object"
        case .notRecords(let file, let found):
            "\(quotedPath(file)): holds \(found), expected an array of objects; "
                + "name the file .jsonl if it has one object per line"
        case .unknownSuffix(let file):
            "\(quotedPath(file)): name has an unknown ending, "
                + "expected .json or .jsonl, either with .zst"
        case .blankLines(let file, let line, let limit):
            "\(quotedPath(file)):\(line): blank lines hold more than \(limit) bytes, the limit"
        case .missingField(let place, let field):
            "\(quotedPath(place)): field \(quoted(field)) is missing"
        case .fieldKind(let place, let field, let found, let expected):
            "\(quotedPath(place)): field \(quoted(field)) is \(found), expected \(expected)"
        }
    }
}

extension JSONFault: CustomStringConvertible {
    /// The end of the sentence for the user.
    public var description: String {
        switch self {
        case .end(let expected): "text ends, expected \(expected)"
        case .unexpected(let found, let expected): "found \(found), expected \(expected)"
        case .controlCharacter(let byte):
            "control character U+00\(byte < 16 ? "0" : "")\(hexadecimal(byte)) in a string, "
                + "expected an escape such as \\n"
        case .badEscape: "unknown escape, expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"
        case .loneSurrogate(let unit):
            "escape \\u\(hexadecimal(unit)) is half of a surrogate pair, expected both halves"
        case .notUTF8: "string is not valid UTF-8"
        case .numberRange: "number is out of the range of double precision"
        case .depth(let limit): "values are nested more than \(limit) deep"
        case .values(let limit): "text holds more than \(limit) values, the limit"
        case .duplicateKey(let key): "key \(quoted(key)) appears twice"
        }
    }

    private func hexadecimal(_ value: some BinaryInteger) -> String {
        String(value, radix: 16, uppercase: true)
    }
}
