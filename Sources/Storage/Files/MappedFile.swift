import Glibc

/// The content of a file, mapped into memory for reading as long as this object lives.
///
/// The system reads pages as they are used. A file that is cut while it is mapped ends the process;
/// files that are replaced by a rename, as ``AtomicFile`` does, stay whole.
final class MappedFile: @unchecked Sendable {
    // Sendable: the memory is read-only and both properties are constants.
    let bytes: UnsafeRawBufferPointer

    /// Maps a regular file.
    init(path: String) throws {
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
