/// The printable stand-ins for the 256 bytes in which byte-level vocabularies are written.
///
/// Printable bytes of Latin-1 stand for themselves; the other 68 are U+0100 and up, in order, so a
/// space is `Ġ`. Source: the GPT-2 encoder, `bytes_to_unicode`.
enum ByteAlphabet {
    /// The scalar of every byte.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (UInt32(0)..<256).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
            default:
                defer { next += 1 }
                return next
            }
        }
    }()

    /// The byte of every scalar below U+0144.
    private static let bytes: [UInt8?] = {
        var bytes = [UInt8?](repeating: nil, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = UInt8(byte) }
        return bytes
    }()

    /// The bytes that a token stands for; its own if a scalar of it is outside the alphabet.
    static func decoded(_ token: [UInt8]) -> [UInt8] {
        let text = token.span
        var result: [UInt8] = []
        var position = 0
        while position < token.count {
            let (scalar, length) = UTF8Bytes.scalar(in: text, at: position)
            guard scalar < bytes.count, let byte = bytes[Int(scalar)] else { return token }
            result.append(byte)
            position += length
        }
        return result
    }

    /// How a vocabulary writes a stretch of bytes.
    static func encoded(_ text: Span<UInt8>, in range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        for position in range { UTF8Bytes.append(scalars[Int(text[position])], to: &result) }
        return result
    }
}
