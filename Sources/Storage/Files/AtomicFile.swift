import Glibc

/// Writes files that are never seen half-written.
public enum AtomicFile {
    /// Writes a file under a hidden neighbour name, flushes it to disk and renames it.
    ///
    /// Readers see the old content or the new one. If `body` or any step fails, the neighbour is
    /// removed and the old file stays. A link is followed, so that it goes on pointing to its file.
    /// Neighbours that killed processes left of this file are removed.
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
        let name = FilePath.name(of: target)
        FolderTree.removeLeftovers(in: FilePath.folder(of: target)) { base, isDead in
            isDead && base == name
        }
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

/// Collects what is written to one file, compressed if asked.
///
/// Comes from ``AtomicFile/write(to:compression:_:)``, which finishes it.
public final class FileWriter {
    /// How the bytes are stored.
    public enum Compression: Equatable, Sendable {
        /// As they are.
        case none
        /// As one zstd frame with a checksum; levels 1 to 19.
        case zstd(level: Int)
    }

    private let descriptor: FileDescriptor
    private let encoder: ZstdEncoder?
    private var buffer: [UInt8] = []
    private static let capacity = 1 << 17

    init(descriptor: consuming FileDescriptor, compression: Compression) throws {
        self.encoder =
            switch compression {
            case .none: nil
            case .zstd(let level): try ZstdEncoder(level: level, file: descriptor.name)
            }
        self.descriptor = descriptor
        buffer.reserveCapacity(FileWriter.capacity)
    }

    /// Appends text as UTF-8.
    public func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write($0) }
    }

    /// Appends bytes.
    public func write(_ bytes: some Collection<UInt8>) throws {
        let done: Void? = try bytes.withContiguousStorageIfAvailable {
            try write(raw: UnsafeRawBufferPointer($0))
        }
        if done == nil { try write([UInt8](bytes)) }
    }

    /// Writes out what is buffered and waits until it has reached the disk.
    func finish() throws {
        try flush()
        if let encoder { try encoder.finish { try descriptor.writeAll($0) } }
        try descriptor.sync()
    }

    private func write(raw bytes: UnsafeRawBufferPointer) throws {
        if buffer.count + bytes.count > FileWriter.capacity { try flush() }
        if bytes.count > FileWriter.capacity {
            try emit(bytes)
        } else {
            buffer.append(contentsOf: bytes)
        }
    }

    private func flush() throws {
        try buffer.withUnsafeBytes { try emit($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func emit(_ bytes: UnsafeRawBufferPointer) throws {
        if let encoder {
            try encoder.compress(bytes) { try descriptor.writeAll($0) }
        } else {
            try descriptor.writeAll(bytes)
        }
    }
}
