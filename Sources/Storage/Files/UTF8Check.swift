/// Strict validation of UTF-8.
package enum UTF8Check {
    /// The offset of the first byte that begins no well-formed character, or nil.
    ///
    /// Refuses what RFC 3629 refuses: stray and missing continuation bytes, overlong forms,
    /// surrogates, values above U+10FFFF.
    package static func firstInvalid(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        let raw = UnsafeRawBufferPointer(bytes)
        var offset = 0
        while offset < raw.count {
            if offset + 8 <= raw.count,
                raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self) & 0x8080_8080_8080_8080
                    == 0
            {
                offset += 8
                continue
            }
            let length = characterLength(raw, at: offset)
            if length == 0 { return offset }
            offset += length
        }
        return nil
    }

    /// The number of bytes of the character at `offset`, 0 if it is not well formed.
    private static func characterLength(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
        let first = bytes[offset]
        if first < 0x80 { return 1 }
        let (length, second): (Int, ClosedRange<UInt8>) =
            switch first {
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xE1...0xEF: (3, 0x80...0xBF)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: (0, 0...0)
            }
        guard length > 0, offset + length <= bytes.count, second.contains(bytes[offset + 1]) else {
            return 0
        }
        for index in 2..<max(length, 2) where bytes[offset + index] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
