import Glibc

/// The two things done to whole folders: remove one, and wait until one has reached the disk.
enum FolderTree {
    /// Removes a file, or a folder with all that is in it; links are removed, not followed.
    static func remove(_ path: String) throws {
        guard let kind = FilePath.kind(of: path, followingLinks: false) else { return }
        if kind == S_IFDIR {
            for name in try names(in: path) { try remove(FilePath.join(path, name)) }
        }
        let result = kind == S_IFDIR ? rmdir(path) : unlink(path)
        if result != 0 { throw FileError.system(file: path, action: "remove", code: errno) }
    }

    /// Waits until every file and folder below `path`, and `path` itself, has reached the disk.
    static func sync(_ path: String) throws {
        switch FilePath.kind(of: path, followingLinks: false) {
        case S_IFDIR:
            for name in try names(in: path) { try sync(FilePath.join(path, name)) }
        case S_IFREG: break
        default: return
        }
        try FileDescriptor(opening: path, flags: O_RDONLY, action: "flush").sync()
    }

    /// The names in a folder, sorted by their bytes, without `.` and `..`.
    static func names(in folder: String) throws -> [String] {
        guard let stream = opendir(folder) else {
            throw FileError.system(file: folder, action: "list", code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        if errno != 0 { throw FileError.system(file: folder, action: "list", code: errno) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
