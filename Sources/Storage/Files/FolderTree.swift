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

    /// The files below a folder, as paths from it, links to files included.
    package static func files(below folder: String, depth: Int) throws -> [String] {
        try names(in: folder).flatMap { name -> [String] in
            let path = FilePath.join(folder, name)
            if FilePath.isFile(path) { return [name] }
            guard depth > 0, FilePath.isFolder(path) else { return [] }
            return try files(below: path, depth: depth - 1).map { "\(name)/\($0)" }
        }
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

extension FolderTree {
    /// Removes what processes that were killed left under hidden names of ``FilePath/neighbour(of:attempt:)``.
    ///
    /// What cannot be removed stays.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - isMeant: Whether a file goes, given the name that it was to get and whether the process that made
    ///     it is known to have ended.
    package static func removeLeftovers(
        in folder: String, where isMeant: (_ base: String, _ isDead: Bool) -> Bool
    ) {
        for name in (try? names(in: folder)) ?? [] {
            guard let (base, process) = parts(ofLeftover: name) else { continue }
            let isDead = kill(process, 0) != 0 && errno == ESRCH
            if isMeant(base, isDead) { try? remove(FilePath.join(folder, name)) }
        }
    }

    /// Whether a name is one of a file in the making.
    static func isLeftover(_ name: String) -> Bool { parts(ofLeftover: name) != nil }

    /// The final name and the process of `.NAME.PROCESS.ATTEMPT.tmp`.
    private static func parts(ofLeftover name: String) -> (base: String, process: pid_t)? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 5, parts[0].isEmpty, parts.last == "tmp",
            Int(parts[parts.count - 2]) != nil, let process = pid_t(parts[parts.count - 3]),
            process > 0
        else { return nil }
        return (parts[1..<parts.count - 3].joined(separator: "."), process)
    }
}

/// A folder of files that can be made again at any time, held below a size.
///
/// Files are told apart by name alone; their content is the caller's. The ones not used for longest
/// are removed first, so a file may be gone between two calls.
public struct CacheFolder: Sendable {
    /// Where it is; made when the first file is kept.
    public let path: String
    /// The most bytes that all files may take together.
    public let byteLimit: Int

    /// What a file in the making that nobody finished is left lying for, in seconds.
    private static let patience = 3600

    /// Names a folder.
    ///
    /// - Parameters:
    ///   - path: The folder; nothing else may be kept in it.
    ///   - byteLimit: The most bytes that all files may take together.
    public init(path: String, byteLimit: Int) {
        self.path = path
        self.byteLimit = byteLimit
    }

    /// The path of a file.
    public func path(of name: String) -> String { FilePath.join(path, name) }

    /// Whether a file is there.
    public func holds(_ name: String) -> Bool { FilePath.isFile(path(of: name)) }

    /// Notes that a file was used now.
    public func touch(_ name: String) { utimes(path(of: name), nil) }

    /// Makes the folder, so that files can be written into it.
    ///
    /// - Throws: ``FileError``.
    public func create() throws { try FolderTree.create(path) }

    /// Removes the files not used for longest until the others are within the limit.
    ///
    /// What cannot be looked at or removed stays; another process may be at it.
    public func trim() {
        let now = time(nil)
        var entries = ((try? FolderTree.names(in: path)) ?? []).compactMap { name -> Entry? in
            var status = stat()
            let path = path(of: name)
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            return Entry(path: path, bytes: Int(status.st_size), used: status.st_mtim)
        }
        entries.sort { $0.isOlder(than: $1) }
        var total = entries.reduce(0) { $0 + $1.bytes }
        for entry in entries {
            let isUnfinished = entry.path.hasSuffix(".tmp")
            guard total > byteLimit || isUnfinished else { continue }
            if isUnfinished && now - entry.used.tv_sec < CacheFolder.patience { continue }
            if unlink(entry.path) == 0 { total -= entry.bytes }
        }
    }
}

private struct Entry {
    let path: String
    let bytes: Int
    let used: timespec

    fileprivate func isOlder(than other: Entry) -> Bool {
        (used.tv_sec, used.tv_nsec) < (other.used.tv_sec, other.used.tv_nsec)
    }
}
