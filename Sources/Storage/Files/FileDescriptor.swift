import Glibc

/// An open file, closed at the end of its life; every failure names the path.
package struct FileDescriptor: ~Copyable {
    package let raw: Int32
    let path: String
    /// The path that messages name; a file in the making goes by its final name.
    let name: String

    /// Opens a file or a folder, at once: no pipe is waited for.
    ///
    /// Devices, sockets and named pipes are refused. A pipe that this process was started with is read, as
    /// `<(command)` of a shell gives it: `/dev/fd/63`, or `/proc/self/fd/11`, or `/dev/stdin`.
    ///
    /// - Parameters:
    ///   - path: Where it is. A zero byte in it is refused, since C would cut the path there.
    ///   - flags: The flags of `open`; `O_CLOEXEC` is added.
    ///   - action: What is attempted, for the message.
    ///   - name: The path that messages name, if another.
    ///   - permissions: Those of a file that is made.
    /// - Throws: ``FileError``.
    package init(
        opening path: String, flags: Int32, action: String, name: String? = nil,
        permissions: mode_t = 0o666
    ) throws {
        self.path = path
        self.name = name ?? path
        guard !path.utf8.contains(0) else {
            raw = -1
            throw FileError.system(file: self.name, action: action, code: EINVAL)
        }
        // Without O_NONBLOCK, a named pipe that nobody writes to would hold the program for ever.
        raw = retrying { open(path, flags | O_CLOEXEC | O_NONBLOCK, permissions) }
        if raw < 0 {
            // What open says to a socket, and to a pipe that nobody reads.
            if errno == ENXIO { throw FileError.notRegular(file: self.name) }
            throw FileError.system(file: self.name, action: action, code: errno)
        }
        switch try status().st_mode & S_IFMT {
        case S_IFREG, S_IFDIR: break
        case S_IFIFO where FileDescriptor.isOwn(path):
            _ = fcntl(raw, F_SETFL, fcntl(raw, F_GETFL) & ~O_NONBLOCK)
        default: throw FileError.notRegular(file: self.name)
        }
    }

    /// Whether a path names what this process was started with.
    static func isOwn(_ path: String) -> Bool {
        path == "/dev/stdin" || ["/dev/fd/", "/proc/self/fd/"].contains { path.hasPrefix($0) }
    }

    deinit {
        if raw >= 0 { close(raw) }
    }

    /// The size and kind of the file.
    package func status() throws -> stat {
        var result = stat()
        if fstat(raw, &result) != 0 { throw failure("look at") }
        return result
    }

    /// Reads up to the buffer's size; 0 at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = retrying { Glibc.read(raw, buffer.baseAddress, buffer.count) }
        if count < 0 { throw failure("read") }
        return count
    }

    /// Writes all bytes, with one call unless the system takes only a part.
    package func writeAll(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = retrying { Glibc.write(raw, part.baseAddress, part.count) }
            if count < 0 { throw failure("write") }
            rest = rest.dropFirst(count)
        }
    }

    /// Waits until the content has reached the disk.
    package func sync() throws {
        // Pipes and a few file systems have nothing to wait for and say EINVAL.
        if retrying({ fsync(raw) }) != 0, errno != EINVAL { throw failure("flush") }
    }

    private func failure(_ action: String) -> FileError {
        .system(file: name, action: action, code: errno)
    }
}

/// Repeats a system call that a signal interrupted.
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

/// The content of a file, mapped into memory for reading as long as this object lives.
///
/// The system reads pages as they are used. A file that is cut while it is mapped ends the process;
/// files that are replaced by a rename, as ``AtomicFile`` does, stay whole.
package final class MappedFile: @unchecked Sendable {
    // Sendable: the memory is read-only and both properties are constants.
    let bytes: UnsafeRawBufferPointer

    /// The number of bytes.
    package var count: Int { bytes.count }

    /// Calls `body` with some bytes.
    package func withBytes<Result>(
        _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(self) { try body(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }

    /// A copy of some bytes.
    package func copy(_ range: Range<Int>) -> [UInt8] { Array(bytes[range]) }

    /// Maps a regular file.
    package init(path: String) throws {
        let descriptor = try FileDescriptor(opening: path, flags: O_RDONLY, action: "open")
        let status = try descriptor.status()
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileError.notRegular(file: path) }
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor.raw, 0),
            start != MAP_FAILED
        else { throw FileError.system(file: path, action: "map", code: errno) }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    /// Takes pages that lie wholly in a range of bytes out of memory; they are read again if they are used.
    func release(_ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = (range.lowerBound + page - 1) / page * page
        let count = range.upperBound / page * page - first
        guard count > 0, let start = bytes.baseAddress else { return }
        madvise(UnsafeMutableRawPointer(mutating: start + first), count, MADV_DONTNEED)
    }

    deinit {
        if let start = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
        }
    }
}
