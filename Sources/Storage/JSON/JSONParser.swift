/// Reads JSON values from bytes, by RFC 8259.
///
/// Every access to `bytes` is guarded by a comparison with its count; depth is limited.
///
/// Ours, because Foundation's keeps neither the order of members nor the place of a fault.
struct JSONParser {
    /// A fault and where it is.
    struct Failure: Error {
        let fault: JSONFault
        /// The offset of the first offending byte.
        let offset: Int
    }

    let bytes: UnsafeBufferPointer<UInt8>
    let options: JSONOptions
    /// The offset of the next byte.
    var position = 0
    private var depth = 0
    private var values = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, options: JSONOptions, position: Int = 0) {
        self.bytes = bytes
        self.options = options
        self.position = position
    }

    /// Reads one value and nothing but white space around it.
    mutating func document() throws(Failure) -> JSONValue {
        let value = try value()
        if skipSpace() != nil { throw unexpected("the end of the text") }
        return value
    }

    /// Reads one value; white space before it is skipped.
    mutating func value() throws(Failure) -> JSONValue {
        guard let first = skipSpace() else { throw unexpected("a value") }
        values += 1
        guard values <= options.valueLimit else {
            throw Failure(fault: .values(limit: options.valueLimit), offset: position)
        }
        switch first {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return .object(try nested { (p) throws(Failure) in try p.object() })
        case UInt8(ascii: "["): return .array(try nested { (p) throws(Failure) in try p.array() })
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t") where skip("true"): return .bool(true)
        case UInt8(ascii: "f") where skip("false"): return .bool(false)
        case UInt8(ascii: "n") where skip("null"): return .null
        case UInt8(ascii: "N") where options.allowsNonFinite && skip("NaN"): return .number(.nan)
        case UInt8(ascii: "I") where options.allowsNonFinite && skip("Infinity"):
            return .number(.infinity)
        default: throw unexpected("a value")
        }
    }

    /// Skips white space and returns the byte after it, nil at the end.
    mutating func skipSpace() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    /// Skips a word if it comes next.
    mutating func skip(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count,
            UnsafeBufferPointer(start: word.utf8Start, count: count)
                .elementsEqual(bytes[position..<position + count])
        else { return false }
        position += count
        return true
    }

    /// The fault of finding something other than `expected` at the current place.
    func unexpected(_ expected: String) -> Failure {
        guard position < bytes.count else {
            return Failure(fault: .end(expected: expected), offset: position)
        }
        let byte = bytes[position]
        let found =
            switch byte {
            case 0x21...0x7E: "'\(Unicode.Scalar(byte))'"
            default: "byte 0x\(String(byte, radix: 16, uppercase: true))"
            }
        return Failure(fault: .unexpected(found: found, expected: expected), offset: position)
    }

    private mutating func nested<Value>(
        _ body: (inout JSONParser) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        guard depth < options.depthLimit else {
            throw Failure(fault: .depth(limit: options.depthLimit), offset: position)
        }
        depth += 1
        position += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func array() throws(Failure) -> [JSONValue] {
        var elements: [JSONValue] = []
        if skipSpace() == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try value())
            let byte = skipSpace()
            guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") else {
                throw unexpected("',' or ']'")
            }
            position += 1
            if byte == UInt8(ascii: "]") { return elements }
        }
    }

    private mutating func object() throws(Failure) -> JSONObject {
        var object = JSONObject()
        if skipSpace() == UInt8(ascii: "}") {
            position += 1
            return object
        }
        while true {
            guard skipSpace() == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let start = position
            let key = try string()
            guard skipSpace() == UInt8(ascii: ":") else { throw unexpected("':'") }
            position += 1
            if !object.set(key, to: try value()), options.refusesDuplicateKeys {
                throw Failure(fault: .duplicateKey(key), offset: start)
            }
            let byte = skipSpace()
            guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") else {
                throw unexpected("',' or '}'")
            }
            position += 1
            if byte == UInt8(ascii: "}") { return object }
        }
    }
}

extension JSONParser {
    /// Reads a string; the opening quote is next.
    mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        var all: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return try text(start..<position, isASCII: all < 0x80)
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            if byte < 0x20 {
                throw Failure(fault: .controlCharacter(byte), offset: position)
            }
            all |= byte
            position += 1
        }
        throw unexpected("'\"' at the end of a string")
    }

    /// Reads a string in which an escape was found; `start` is after the opening quote.
    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var result: [UInt8] = []
        var runStart = start
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                try check(runStart..<position)
                result.append(contentsOf: bytes[runStart..<position])
                if byte == UInt8(ascii: "\"") {
                    position += 1
                    return String(decoding: result, as: UTF8.self)
                }
                result.append(contentsOf: try escape().utf8)
                runStart = position
                continue
            }
            if byte < 0x20 {
                throw Failure(fault: .controlCharacter(byte), offset: position)
            }
            position += 1
        }
        throw unexpected("'\"' at the end of a string")
    }

    /// Reads one escape, or a pair of them that make one character; the backslash is next.
    private mutating func escape() throws(Failure) -> String {
        let start = position
        guard position + 1 < bytes.count else {
            position = bytes.count
            throw unexpected("'\"' at the end of a string")
        }
        position += 2
        switch bytes[position - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw Failure(fault: .badEscape, offset: start)
        }
        guard let unit = hexadecimal() else { throw Failure(fault: .badEscape, offset: start) }
        if let scalar = Unicode.Scalar(unit) { return String(scalar) }
        guard unit < 0xDC00, skip("\\u"), let low = hexadecimal(), 0xDC00...0xDFFF ~= low,
            let scalar = Unicode.Scalar(
                0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        else { throw Failure(fault: .loneSurrogate(unit), offset: start) }
        return String(scalar)
    }

    /// Reads four hexadecimal digits, nil if they are not there.
    private mutating func hexadecimal() -> UInt16? {
        guard bytes.count - position >= 4 else { return nil }
        var value: UInt16 = 0
        for offset in 0..<4 {
            let byte = bytes[position + offset]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }

    private func text(_ range: Range<Int>, isASCII: Bool) throws(Failure) -> String {
        if !isASCII { try check(range) }
        return String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }

    private func check(_ range: Range<Int>) throws(Failure) {
        let part = UnsafeBufferPointer(rebasing: bytes[range])
        if let offset = UTF8Check.firstInvalid(in: part) {
            throw Failure(fault: .notUTF8, offset: range.lowerBound + offset)
        }
    }
}

extension JSONParser {
    /// Reads a number; a minus sign or a digit is next.
    mutating func number() throws(Failure) -> JSONValue {
        let start = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        if isNegative, options.allowsNonFinite, skip("Infinity") { return .number(-.infinity) }
        let digits = position
        guard skipDigits() > 0 else { throw unexpected("a digit") }
        if bytes[digits] == UInt8(ascii: "0"), position > digits + 1 {
            position = digits + 1
            throw unexpected("no digit after a leading 0")
        }
        var isInteger = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard skipDigits() > 0 else { throw unexpected("a digit") }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < bytes.count,
                bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
            {
                position += 1
            }
            guard skipDigits() > 0 else { throw unexpected("a digit") }
        }
        if isInteger, let value = integer(digits..<position, isNegative: isNegative) {
            return .integer(value)
        }
        let text = UnsafeBufferPointer(rebasing: bytes[start..<position])
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
            throw Failure(fault: .numberRange, offset: start)
        }
        return .number(value)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        return position - start
    }

    /// The value of some digits, nil if it does not fit.
    private func integer(_ range: Range<Int>, isNegative: Bool) -> Int? {
        var value = 0
        for byte in bytes[range] {
            let digit = Int(byte - UInt8(ascii: "0"))
            let (shifted, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isOver) =
                isNegative
                ? shifted.subtractingReportingOverflow(digit)
                : shifted.addingReportingOverflow(digit)
            if isTooLarge || isOver { return nil }
            value = sum
        }
        return value
    }
}

/// What a JSON reader accepts.
public struct JSONOptions: Equatable, Sendable {
    /// Whether `NaN`, `Infinity` and `-Infinity` are numbers, as they are to Python.
    public var allowsNonFinite: Bool
    /// Whether a key that appears twice in an object is an error.
    ///
    /// Otherwise the last value counts, in the first place, as in Python.
    public var refusesDuplicateKeys: Bool
    /// How deep values may be nested; at most 512, since the reader is recursive.
    public var depthLimit: Int
    /// How many values a text may hold, each element and each member's value counting.
    public var valueLimit: Int

    /// Creates options; the defaults are RFC 8259.
    ///
    /// - Parameters:
    ///   - allowsNonFinite: Whether `NaN`, `Infinity` and `-Infinity` are numbers.
    ///   - refusesDuplicateKeys: Whether a key that appears twice in an object is an error.
    ///   - depthLimit: How deep values may be nested, in 1...512.
    ///   - valueLimit: How many values a text may hold; a few bytes of text make a value of a hundred.
    public init(
        allowsNonFinite: Bool = false, refusesDuplicateKeys: Bool = false, depthLimit: Int = 256,
        valueLimit: Int = 3_000_000
    ) {
        precondition(
            (1...512).contains(depthLimit), "depth limit is \(depthLimit), expected 1...512")
        self.allowsNonFinite = allowsNonFinite
        self.refusesDuplicateKeys = refusesDuplicateKeys
        self.depthLimit = depthLimit
        self.valueLimit = valueLimit
    }
}

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
                + "expected .json, .jsonl, .csv or .tsv, each also with .zst or .gz, or .parquet"
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
