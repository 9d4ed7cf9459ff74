import Glibc
import Storage

/// A file that grows over several runs of a program, until it is whole and gets its name.
final class AppendedFile {
    let path: String
    private let descriptor: FileDescriptor
    /// The bytes it holds.
    private(set) var size: Int

    /// Opens the file, which is made if it does not exist.
    init(_ path: String) throws {
        self.path = path
        descriptor = try FileDescriptor(
            opening: path, flags: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, action: "open",
            permissions: 0o644)
        // One download at a time: a second one would mix its bytes in.
        guard flock(descriptor.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw FileError.system(file: path, action: "lock", code: errno)
        }
        size = Int(try descriptor.status().st_size)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        try descriptor.writeAll(bytes)
        size += bytes.count
    }

    func clear() throws {
        guard ftruncate(descriptor.raw, 0) == 0 else {
            throw FileError.system(file: path, action: "truncate", code: errno)
        }
        size = 0
    }

    /// Makes sure that all is on the disk, and renames the file.
    func finish(as name: String) throws {
        try descriptor.sync()
        guard rename(path, name) == 0 else {
            throw FileError.system(file: path, action: "rename", code: errno)
        }
    }
}
