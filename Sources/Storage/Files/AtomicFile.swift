import Glibc

/// Writes files that are never seen half-written.
public enum AtomicFile {
    /// Writes a file under a hidden neighbour name, flushes it to disk and renames it.
    ///
    /// Readers see the old content or the new one. If `body` or any step fails, the neighbour is
    /// removed and the old file stays. A link is followed, so that it goes on pointing to its file.
    ///
    /// - Parameters:
    ///   - path: The final name; its folder must exist. A regular file of that name is replaced.
    ///   - compression: How the bytes are stored; independent of the name.
    ///   - body: Writes the content.
    /// - Returns: What `body` returns.
    /// - Throws: ``FileError``, or what `body` throws.
    @discardableResult
    public static func write<Result>(
        to path: String, compression: FileWriter.Compression = .none,
        _ body: (FileWriter) throws -> Result
    ) throws -> Result {
        let target = try resolved(path)
        let descriptor = try makeNeighbour(of: target, name: path)
        let temporary = descriptor.path
        do {
            let writer = try FileWriter(descriptor: descriptor, compression: compression)
            let result = try body(writer)
            try writer.finish()
            try rename(temporary, to: target)
            return result
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Writes a text as UTF-8, all or nothing.
    public static func write(_ text: String, to path: String) throws {
        try write(to: path) { try $0.write(text) }
    }

    /// Renames within a folder and waits until the folder has reached the disk.
    static func rename(_ source: String, to target: String) throws {
        if Glibc.rename(source, target) != 0 {
            throw FileError.system(file: target, action: "rename into place", code: errno)
        }
        let folder = FilePath.folder(of: target)
        try FileDescriptor(opening: folder, flags: O_RDONLY | O_DIRECTORY, action: "flush").sync()
    }

    /// The path itself, or what it links to; never a device, which a rename would destroy.
    private static func resolved(_ path: String) throws -> String {
        guard let kind = FilePath.kind(of: path) else { return path }
        guard kind == S_IFREG else { throw FileError.notRegular(file: path) }
        guard FilePath.kind(of: path, followingLinks: false) == S_IFLNK,
            let real = realpath(path, nil)
        else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func makeNeighbour(of path: String, name: String) throws -> FileDescriptor {
        for attempt in 0..<1000 {
            do {
                return try FileDescriptor(
                    opening: FilePath.neighbour(of: path, attempt: attempt),
                    flags: O_WRONLY | O_CREAT | O_EXCL, action: "create", name: name)
            } catch FileError.system(_, _, EEXIST) {
                continue
            }
        }
        throw FileError.system(file: name, action: "create", code: EEXIST)
    }
}
