import Glibc

/// Reads a plain or zstd-compressed text line by line, in bounded memory.
///
/// Lines end with a line feed and nothing else: U+0085, U+2028 and a lone carriage return are
/// ordinary characters. One carriage return before the line feed is dropped, so is a byte order
/// mark at the start of the file. A last line without a line feed counts.
public final class LineReader {
    /// One line of a file.
    public struct Line: Equatable, Sendable {
        /// Its number, from 1.
        public let number: Int
        /// Its bytes, valid UTF-8, without the line's end.
        public let bytes: [UInt8]
        /// Its text.
        public var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// The path as given, for messages.
    public var path: String { stream.path }

    private let stream: ByteStream
    private let lineLimit: Int
    private var buffer: [UInt8]
    private var filled: Range<Int> = 0..<0
    private var number = 0
    private var isAtEnd = false

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - lineLimit: The most bytes a line may hold, its line feed left out; at least 1.
    /// - Throws: ``FileError``.
    public init(path: String, lineLimit: Int = 64 << 20) throws {
        precondition(lineLimit > 0, "line limit is \(lineLimit), expected at least 1")
        stream = try ByteStream(path: path)
        self.lineLimit = lineLimit
        buffer = [UInt8](repeating: 0, count: 1 << 17)
    }

    /// Reads the next line.
    ///
    /// - Returns: The line, or nil at the end.
    /// - Throws: ``FileError`` if the file cannot be read, a line is too long or not UTF-8.
    public func next() throws -> Line? {
        try withNext { Line(number: $0, bytes: [UInt8]($1)) }
    }

    /// Calls `body` with the number and the bytes of the next line; nil at the end.
    func withNext<Result>(
        _ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Result
    ) throws -> Result? {
        guard var line = try findLine() else { return nil }
        number += 1
        return try buffer.withUnsafeBufferPointer { bytes in
            if number == 1, bytes[line].starts(with: [0xEF, 0xBB, 0xBF]) {
                line = line.dropFirst(3)
            }
            if let last = line.last, bytes[last] == UInt8(ascii: "\r") { line = line.dropLast() }
            let content = UnsafeBufferPointer(rebasing: bytes[line])
            if let offset = UTF8Check.firstInvalid(in: content) {
                throw FileError.notUTF8(file: path, line: number, byte: offset + 1)
            }
            return try body(number, content)
        }
    }

    /// The place in the buffer of the next line without its line feed; taken out of `filled`.
    private func findLine() throws -> Range<Int>? {
        var searched = 0
        while true {
            if let length = lineFeed(after: searched) {
                guard length <= lineLimit else { throw tooLong }
                let line = filled.prefix(length)
                filled = filled.dropFirst(length + 1)
                return line
            }
            searched = filled.count
            guard searched <= lineLimit else { throw tooLong }
            if isAtEnd {
                defer { filled = filled.suffix(0) }
                return filled.isEmpty ? nil : filled
            }
            try fill()
        }
    }

    private var tooLong: FileError {
        .lineTooLong(file: path, line: number + 1, limit: lineLimit)
    }

    /// The distance of the next line feed from the start of the unread bytes.
    private func lineFeed(after searched: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[filled.dropFirst(searched)])
            guard let start = rest.baseAddress, let found = memchr(start, 10, rest.count) else {
                return nil
            }
            return searched + (UnsafeRawPointer(found) - start)
        }
    }

    private func fill() throws {
        if filled.lowerBound > 0 {
            buffer.withUnsafeMutableBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[filled])
                UnsafeMutableRawBufferPointer(rebasing: bytes[..<rest.count]).copyMemory(from: rest)
            }
            filled = 0..<filled.count
        }
        if filled.count == buffer.count {
            buffer.append(contentsOf: repeatElement(0, count: buffer.count))
        }
        let count = try buffer.withUnsafeMutableBytes {
            try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled.upperBound...]))
        }
        isAtEnd = count == 0
        filled = filled.lowerBound..<filled.upperBound + count
    }
}

/// Appends whole lines to a file that others may be reading, such as `metrics.jsonl`.
public final class LineAppender {
    private let descriptor: FileDescriptor

    /// Opens or creates a file.
    ///
    /// If a crash left the last line without its end, the line is ended, so that what follows
    /// stands on lines of its own.
    ///
    /// - Parameter path: The file; its folder must exist.
    /// - Throws: ``FileError``.
    public init(path: String) throws {
        descriptor = try FileDescriptor(
            opening: path, flags: O_RDWR | O_CREAT | O_APPEND, action: "open")
        let size = Int(try descriptor.status().st_size)
        var last = UInt8(ascii: "\n")
        if size > 0, pread(descriptor.raw, &last, 1, off_t(size - 1)) == 1, last != 10 {
            try append("")
        }
    }

    /// Appends one line with one system call.
    ///
    /// - Parameter line: The line without its end; must not contain a line feed.
    /// - Throws: ``FileError``.
    public func append(_ line: String) throws {
        precondition(!line.utf8.contains(UInt8(ascii: "\n")), "a line holds a line feed")
        var text = line + "\n"
        try text.withUTF8 { try descriptor.writeAll(UnsafeRawBufferPointer($0)) }
    }

    /// Waits until the lines have reached the disk.
    public func sync() throws { try descriptor.sync() }
}

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
