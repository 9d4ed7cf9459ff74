/// The bytes of texts that people write, on any system: prompts and templates.
public enum TextBytes {
    /// The text of some bytes, as if it had been written on Linux.
    ///
    /// A byte order mark at the beginning is no part of it, and `\r\n` is a line feed.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - file: What messages call the place they come from.
    /// - Returns: The text.
    /// - Throws: ``FileError/notUTF8(file:line:byte:)``.
    public static func decode(_ bytes: [UInt8], file: String) throws -> String {
        if let offset = bytes.withUnsafeBufferPointer(UTF8Check.firstInvalid(in:)) {
            let lines = bytes[..<offset].split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            throw FileError.notUTF8(
                file: file, line: lines.count, byte: (lines.last?.count ?? 0) + 1)
        }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        for byte in bytes.dropFirst(bytes.starts(with: byteOrderMark) ? byteOrderMark.count : 0) {
            if byte == UInt8(ascii: "\n"), text.last == UInt8(ascii: "\r") { text.removeLast() }
            text.append(byte)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// What editors on Windows put before a text in UTF-8.
    public static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
}

/// Strict validation of UTF-8, by the standard library.
package enum UTF8Check {
    /// The offset of the first byte that begins no well-formed character, or nil.
    package static func firstInvalid(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        do {
            _ = try UTF8Span(validating: bytes.span)
            return nil
        } catch {
            return error.byteOffsets.lowerBound
        }
    }
}
