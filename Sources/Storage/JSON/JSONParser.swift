/// Reads JSON values from bytes, by RFC 8259.
///
/// Every access to `bytes` is guarded by a comparison with its count; depth is limited.
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
