import Glibc
import Storage

/// A file that grows over several runs of a program, until it is whole and gets its name.
final class AppendedFile {
    let path: String
    private let descriptor: Int32
    /// The bytes it holds.
    private(set) var size: Int

    /// Opens the file, which is made if it does not exist.
    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else {
            throw FileError.system(file: path, action: "open", code: errno)
        }
        // One download at a time: a second one would mix its bytes in.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw FileError.system(file: path, action: "lock", code: code)
        }
        size = Int(lseek(descriptor, 0, SEEK_END))
    }

    deinit { close(descriptor) }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = write(descriptor, rest.baseAddress, rest.count)
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                throw FileError.system(file: path, action: "write", code: errno)
            }
            done += count
            size += count
        }
    }

    func clear() throws {
        guard ftruncate(descriptor, 0) == 0 else {
            throw FileError.system(file: path, action: "truncate", code: errno)
        }
        size = 0
    }

    /// Makes sure that all is on the disk, and renames the file.
    func finish(as name: String) throws {
        guard fsync(descriptor) == 0 else {
            throw FileError.system(file: path, action: "sync", code: errno)
        }
        guard rename(path, name) == 0 else {
            throw FileError.system(file: path, action: "rename", code: errno)
        }
    }
}
