/// Reading UTF-8 that is known to be well formed, and judging bytes that may not be.
enum UTF8Bytes {
    /// The scalar at a position, and its length in bytes.
    ///
    /// - Parameters:
    ///   - bytes: Well-formed UTF-8.
    ///   - position: Where a scalar begins.
    /// - Returns: Its value and its length.
    @inline(__always)
    static func scalar(in bytes: Span<UInt8>, at position: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(bytes[position])
        if first < 0x80 { return (first, 1) }
        let second = UInt32(bytes[position + 1]) & 0x3F
        if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
        let third = UInt32(bytes[position + 2]) & 0x3F
        if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
        let fourth = UInt32(bytes[position + 3]) & 0x3F
        return ((first & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
    }

    /// Where the scalar before a position begins.
    static func start(before position: Int, in bytes: Span<UInt8>) -> Int {
        var start = position - 1
        while start > 0 && bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    /// Appends the bytes of a scalar.
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        switch scalar {
        case 0..<0x80:
            bytes.append(UInt8(scalar))
        case 0x80..<0x800:
            bytes.append(UInt8(0xC0 | scalar >> 6))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        case 0x800..<0x10000:
            bytes.append(UInt8(0xE0 | scalar >> 12))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        default:
            bytes.append(UInt8(0xF0 | scalar >> 18 & 0x07))
            bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    /// The bytes, or a copy in which what is not UTF-8 is U+FFFD.
    static func repaired(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(where: { $0 >= 0x80 }), String(validating: bytes, as: UTF8.self) == nil
        else { return bytes }
        return Array(String(decoding: bytes, as: UTF8.self).utf8)
    }

    /// How many bytes at the end begin a character that later bytes may complete; 0 to 3.
    static func incompleteSuffix(of bytes: some BidirectionalCollection<UInt8>) -> Int {
        var continuations: [UInt8] = []
        for byte in bytes.reversed().prefix(3) {
            if byte & 0xC0 == 0x80 {
                continuations.append(byte)
                continue
            }
            let length: Int
            switch byte {
            case 0xC2...0xDF: length = 2
            case 0xE0...0xEF: length = 3
            case 0xF0...0xF4: length = 4
            default: return 0
            }
            guard continuations.count + 1 < length else { return 0 }
            if let second = continuations.last, !secondBytes(after: byte).contains(second) {
                return 0
            }
            return continuations.count + 1
        }
        return 0
    }

    /// What may follow the first byte of a character (no overlong form, surrogate or value beyond
    /// U+10FFFF).
    private static func secondBytes(after first: UInt8) -> ClosedRange<UInt8> {
        switch first {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
    }
}
