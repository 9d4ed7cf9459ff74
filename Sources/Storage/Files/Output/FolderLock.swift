import Glibc

/// A folder that one process at a time writes into, until this object is gone.
///
/// The file `run.lock` in it is locked and tells who holds it. The lock ends with the process, however that
/// ends; a file that is left is taken over by the next.
public final class FolderLock {
    /// The file's name.
    public static let fileName = "run.lock"

    private let descriptor: FileDescriptor
    private let identity: FileIdentity

    /// Locks a folder.
    ///
    /// - Parameter folder: An existing folder.
    /// - Throws: ``OutputError/inUse(folder:by:)``, or ``FileError``.
    public init(_ folder: String) throws {
        descriptor = try FolderLock.open(FilePath.join(folder, FolderLock.fileName), folder)
        identity = FileIdentity(try descriptor.status())
        // On a full disk the lock holds, but does not tell whose it is.
        var text = "process \(getpid()), which began at \(FolderLock.now) UTC\n"
        ftruncate(descriptor.raw, 0)
        text.withUTF8 { _ = pwrite(descriptor.raw, $0.baseAddress, $0.count, 0) }
    }

    deinit {
        if FileIdentity(descriptor.path) == identity { unlink(descriptor.path) }
    }

    private static func open(_ path: String, _ folder: String) throws -> FileDescriptor {
        let descriptor = try FileDescriptor(
            opening: path, flags: O_RDWR | O_CREAT | O_NOFOLLOW, action: "open")
        guard flock(descriptor.raw, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else {
                throw FileError.system(file: path, action: "lock", code: errno)
            }
            throw OutputError.inUse(folder: folder, by: holder(descriptor))
        }
        // Between opening and locking, its holder may have ended and removed it.
        let isCurrent = try FileIdentity(path) == FileIdentity(descriptor.status())
        return isCurrent ? descriptor : try open(path, folder)
    }

    private static func holder(_ descriptor: borrowing FileDescriptor) -> String {
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = pread(descriptor.raw, &bytes, bytes.count, 0)
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        return text.split(separator: "\n").first.map { String($0) } ?? "another process"
    }

    private static var now: String {
        var (seconds, parts) = (time(nil), tm())
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}
