import Glibc

/// What is done to whole folders.
package enum FolderTree {
    /// Makes a folder and those above it, unless it is there.
    ///
    /// - Parameter path: The folder.
    /// - Throws: ``FileError`` if it cannot be made, or if nothing may be written into it.
    package static func create(_ path: String) throws {
        if !FilePath.exists(path) {
            let parent = FilePath.folder(of: FilePath.trimmed(path))
            if parent != path { try create(parent) }
            guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
                throw FileError.system(file: path, action: "create", code: errno)
            }
        }
        guard FilePath.isFolder(path) else {
            throw FileError.system(file: path, action: "create", code: ENOTDIR)
        }
        guard access(path, W_OK | X_OK) == 0 else {
            throw FileError.system(file: path, action: "write into", code: errno)
        }
    }

    /// Removes a folder with all that is in it, under a hidden name while it is half removed.
    ///
    /// - Parameter path: The folder; nothing happens if it is not there.
    /// - Throws: ``FileError``.
    package static func discard(_ path: String) throws {
        guard FilePath.exists(path) else { return }
        let hidden = FilePath.neighbour(of: path, attempt: 0)
        try remove(hidden)
        guard rename(path, hidden) == 0 else {
            throw FileError.system(file: path, action: "remove", code: errno)
        }
        try remove(hidden)
    }

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
    static func sync(_ path: String, isDeep: Bool = true) throws {
        switch FilePath.kind(of: path, followingLinks: false) {
        case S_IFDIR where !isDeep: break
        case S_IFDIR:
            for name in try names(in: path) { try sync(FilePath.join(path, name)) }
        case S_IFREG: break
        default: return
        }
        try FileDescriptor(opening: path, flags: O_RDONLY, action: "flush").sync()
    }

    /// The names in a folder, sorted by their bytes, without `.` and `..`.
    package static func names(in folder: String) throws -> [String] {
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
