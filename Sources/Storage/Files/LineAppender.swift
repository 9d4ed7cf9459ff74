import Glibc

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
