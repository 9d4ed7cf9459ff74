import Glibc
import Storage

/// What is piped into the program: text in UTF-8, of any system.
struct StandardInput {
    private static let name = "standard input"
    private var unread: ArraySlice<UInt8> = []
    private var lines = 0

    /// All of it, without the last line feed.
    ///
    /// - Throws: `FileError/notUTF8`.
    static func all() throws -> String {
        var input = StandardInput()
        while input.readMore() {}
        let text = try TextBytes.decode(Array(input.unread), file: name)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// The next line without its end; nil after the last.
    ///
    /// - Throws: `FileError/notUTF8`.
    mutating func nextLine() throws -> String? {
        var searched = 0
        while true {
            if let end = unread.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread = unread[(end + 1)...] }
                return try line(unread[..<end])
            }
            searched = unread.count
            if !readMore() {
                defer { unread = [] }
                return unread.isEmpty ? nil : try line(unread)
            }
        }
    }

    private mutating func line(_ bytes: ArraySlice<UInt8>) throws -> String {
        lines += 1
        var bytes = bytes
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        if lines == 1, bytes.starts(with: TextBytes.byteOrderMark) { bytes.removeFirst(3) }
        do {
            return try TextBytes.decode(Array(bytes), file: Self.name)
        } catch FileError.notUTF8(let file, _, let byte) {
            throw FileError.notUTF8(file: file, line: lines, byte: byte)
        }
    }

    /// Takes in what is there, waiting for it; false at the end.
    private mutating func readMore() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var count = -1
        repeat { count = read(0, &buffer, buffer.count) } while count < 0 && errno == EINTR
        unread += buffer[..<max(count, 0)]
        return count > 0
    }
}
