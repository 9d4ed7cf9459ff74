/// Parses one JSON text.
///
/// Source: RFC 8259. Nesting is limited to ``maximumDepth``, and a string with half of a surrogate
/// pair is refused, since it has no UTF-8 form.
struct JSONParser {
    /// How deep arrays and objects may lie within each other.
    static let maximumDepth = 64

    private let file: String
    private let bytes: [UInt8]
    private var position = 0

    /// Parses the whole of a file.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - file: The name that errors give.
    /// - Returns: The value.
    /// - Throws: ``TokenizerError/malformed(file:line:problem:)``.
    static func parse(_ bytes: [UInt8], file: String) throws -> JSONValue {
        var parser = JSONParser(bytes, file: file)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
        let value = try parser.value(depth: 0)
        parser.skipSpaces()
        guard parser.position == bytes.count else { throw parser.error("text after the value") }
        return value
    }

    private init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    private mutating func value(depth: Int) throws -> JSONValue {
        guard depth < Self.maximumDepth else {
            throw error("nested deeper than \(Self.maximumDepth)")
        }
        skipSpaces()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw error("the file ends within a value")
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws -> JSONValue {
        position += 1
        var members: [JSONMember] = []
        skipSpaces()
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpaces()
            guard peek == UInt8(ascii: "\"") else { throw error("a key was expected") }
            let key = try string()
            skipSpaces()
            guard take(UInt8(ascii: ":")) else { throw error("':' was expected after a key") }
            members.append(JSONMember(key: key, value: try value(depth: depth + 1)))
            skipSpaces()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("',' or '}' was expected") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        skipSpaces()
        if take(UInt8(ascii: "]")) { return .array(values) }
        repeat {
            values.append(try value(depth: depth + 1))
            skipSpaces()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("',' or ']' was expected") }
        return .array(values)
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
        let expected = Array("\(text)".utf8)
        guard bytes[position...].starts(with: expected) else {
            throw error("'\(text)' was expected")
        }
        position += expected.count
        return value
    }

    private mutating func number() throws -> JSONValue {
        let start = position
        while let byte = peek, isPartOfNumber(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        let digits = text.hasPrefix("-") ? text.utf8.dropFirst() : text.utf8[...]
        // What `Double` takes and JSON does not: '+1', '.5', '01', '1.'.
        let isPlain =
            digits.first.map { (0x30...0x39).contains($0) } == true
            && !(digits.count > 1 && digits.first == 0x30
                && (0x30...0x39).contains(digits.dropFirst().first ?? 0))
            && digits.last.map { (0x30...0x39).contains($0) } == true
        guard isPlain, let value = Double(text), value.isFinite else {
            throw error(start == position ? "a value was expected" : "'\(text)' is not a number")
        }
        return .number(value)
    }

    private mutating func string() throws -> [UInt8] {
        position += 1
        var result: [UInt8] = []
        var start = position
        while true {
            guard let byte = peek else { throw error("the file ends within a string") }
            switch byte {
            case UInt8(ascii: "\""):
                result += bytes[start..<position]
                position += 1
                guard String(validating: result, as: UTF8.self) != nil else {
                    throw error("a string is not UTF-8")
                }
                return result
            case UInt8(ascii: "\\"):
                result += bytes[start..<position]
                position += 1
                try escape(into: &result)
                start = position
            case 0..<0x20:
                throw error("a control character stands unescaped in a string")
            default:
                position += 1
            }
        }
    }

    private mutating func escape(into result: inout [UInt8]) throws {
        guard let byte = peek else { throw error("the file ends within a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"):
            var code = try fourHexDigits()
            if (0xD800..<0xDC00).contains(code) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                    throw error("half of a surrogate pair stands alone")
                }
                let low = try fourHexDigits()
                guard (0xDC00..<0xE000).contains(low) else {
                    throw error("half of a surrogate pair stands alone")
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard Unicode.Scalar(code) != nil else {
                throw error("half of a surrogate pair stands alone")
            }
            UTF8Bytes.append(code, to: &result)
        default:
            throw error("unknown escape in a string")
        }
    }

    private mutating func fourHexDigits() throws -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("'\\u' needs four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpaces() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private func isPartOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private func error(_ problem: String) -> TokenizerError {
        let line = 1 + bytes[..<position].count { $0 == 0x0A }
        return .malformed(file: file, line: line, problem: problem)
    }
}
