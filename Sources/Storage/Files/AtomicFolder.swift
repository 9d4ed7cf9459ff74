import Glibc

/// Builds folders that are never seen half-filled.
public enum AtomicFolder {
    /// What to do when the final name is taken.
    public enum Existing: Sendable {
        /// Fail, leaving what is there.
        case refuse
        /// Put the new folder in the place of the old one, which is removed.
        case replace
    }

    /// Fills a folder under a hidden neighbour name, flushes it to disk and renames it.
    ///
    /// If `body` or any step fails, the neighbour is removed and what was there stays. Replacing
    /// takes two renames; a crash between them leaves both folders, the old one under a hidden name.
    ///
    /// - Parameters:
    ///   - path: The final name; the folder above it must exist.
    ///   - existing: What to do when the name is taken; only a folder is ever replaced.
    ///   - body: Fills the folder whose path it gets.
    /// - Returns: What `body` returns.
    /// - Throws: ``FileError``, or what `body` throws.
    @discardableResult
    public static func write<Result>(
        to path: String, existing: Existing = .refuse, _ body: (String) throws -> Result
    ) throws -> Result {
        let target = FilePath.trimmed(path)
        try check(target, existing)
        let temporary = try makeFolder(beside: target)
        do {
            let result = try body(temporary)
            try FolderTree.sync(temporary)
            try check(target, existing)
            try move(temporary, to: target)
            return result
        } catch {
            try? FolderTree.remove(temporary)
            throw error
        }
    }

    private static func check(_ path: String, _ existing: Existing) throws {
        // C would cut the path at a zero byte.
        if path.utf8.contains(0) {
            throw FileError.system(file: path, action: "create", code: EINVAL)
        }
        guard let kind = FilePath.kind(of: path, followingLinks: false) else { return }
        if existing == .refuse || kind != S_IFDIR { throw FileError.exists(file: path) }
    }

    private static func makeFolder(beside path: String) throws -> String {
        for attempt in 0..<1000 {
            let name = FilePath.neighbour(of: path, attempt: attempt)
            if mkdir(name, 0o777) == 0 { return name }
            if errno != EEXIST { break }
        }
        throw FileError.system(file: path, action: "create", code: errno)
    }

    private static func move(_ source: String, to target: String) throws {
        guard FilePath.kind(of: target, followingLinks: false) != nil else {
            return try AtomicFile.rename(source, to: target)
        }
        // The neighbour for the old folder is made empty first, so that no name is guessed twice.
        let old = try makeFolder(beside: target)
        guard Glibc.rename(target, old) == 0 else {
            let code = errno
            rmdir(old)
            throw FileError.system(file: target, action: "move aside", code: code)
        }
        do {
            try AtomicFile.rename(source, to: target)
        } catch {
            _ = Glibc.rename(old, target)
            throw error
        }
        try FolderTree.remove(old)
    }
}
