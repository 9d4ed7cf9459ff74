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
