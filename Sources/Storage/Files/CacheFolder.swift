import Glibc

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
    public init(path: String, byteLimit: Int) { (self.path, self.byteLimit) = (path, byteLimit) }

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

    func isOlder(than other: Entry) -> Bool {
        (used.tv_sec, used.tv_nsec) < (other.used.tv_sec, other.used.tv_nsec)
    }
}
