import Glibc
import Storage

/// The messages of earlier sessions, one JSON string a line, the newest last.
///
/// Sessions that run at the same time append to the same file. A line that is damaged, as by a crash
/// while it was written, is passed over. The file is only for its owner to read.
struct HistoryFile {
    /// The most messages that are kept.
    static let limit = 1000
    /// The longest message that is kept, in bytes.
    static let longest = 1 << 16

    private let path: String

    /// Opens or creates a file, and its folder.
    ///
    /// - Parameter path: The file.
    /// - Throws: `FileError`.
    init(path: String) throws {
        self.path = path
        try FolderTree.create(FilePath.folder(of: path))
        if !FilePath.exists(path) {
            _ = try FileDescriptor(
                opening: path, flags: O_WRONLY | O_CREAT, action: "open", permissions: 0o600)
        }
        _ = try LineAppender(path: path)
    }

    /// The messages, the oldest first.
    ///
    /// A file that has grown to twice the limit is cut to the newest messages.
    ///
    /// - Throws: `FileError`.
    func messages() throws -> [String] {
        let lines = try ByteStream.contents(of: path, limit: 1 << 28).split(separator: 0x0A)
        let kept = lines.suffix(Self.limit)
        if lines.count > 2 * Self.limit {
            try AtomicFile.write(to: path) { file in
                for line in kept { try file.write(String(decoding: line, as: UTF8.self) + "\n") }
            }
            chmod(path, 0o600)
        }
        return kept.compactMap {
            (try? JSONValue(parsing: [UInt8]($0), file: path))?.stringValue
        }
    }

    /// Adds a message; one that is too long is left out.
    ///
    /// The file is opened each time, since another session may have put a shorter one in its place.
    ///
    /// - Throws: `FileError`.
    func append(_ message: String) throws {
        guard message.utf8.count <= Self.longest else { return }
        try LineAppender(path: path).append(
            JSONWriter(escapesNonASCII: false).string(.string(message)))
    }
}
