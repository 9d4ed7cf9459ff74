import CFileSystem
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
    /// If `body` or any step fails, the neighbour is removed and what was there stays. An old folder is
    /// exchanged for the new one in one step, then removed; what a process that was killed left of either
    /// is removed first.
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
        FolderTree.removeLeftovers(in: FilePath.folder(of: target)) { base, isDead in
            isDead && base == FilePath.name(of: target)
        }
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
        guard mtl_exchange(source, target) == 0 else {
            // A file system without the call: two renames, and a moment without either.
            guard errno == EINVAL || errno == ENOSYS else {
                throw FileError.system(file: target, action: "replace", code: errno)
            }
            return try moveAside(target, for: source)
        }
        try FolderTree.sync(FilePath.folder(of: target), isDeep: false)
        // The new folder is in place; what is left of the old one is swept some time.
        try? FolderTree.remove(source)
    }

    private static func moveAside(_ target: String, for source: String) throws {
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
        try? FolderTree.remove(old)
    }
}

extension AtomicFolder {
    /// What ``put(into:key:_:)`` calls its hidden folder.
    package static let putName = "files"

    /// Puts files that belong together into a folder that holds others.
    ///
    /// They are written under a hidden name first and flushed to disk. Then each is renamed into its place,
    /// the one without which the others are not used at last. Where more than one differs from what is there,
    /// that one is removed before: at every instant the old files are there, or the new ones, or none that
    /// can be used; never some of both.
    ///
    /// - Parameters:
    ///   - folder: An existing folder.
    ///   - key: The name of the file without which the others are not used.
    ///   - body: Writes the files, the key among them, into the folder whose path it gets.
    /// - Throws: ``FileError``, or what `body` throws; then nothing has changed.
    public static func put(
        into folder: String, key: String, _ body: (String) throws -> Void
    ) throws {
        let temporary = try makeFolder(beside: FilePath.join(folder, putName))
        defer { try? FolderTree.remove(temporary) }
        try body(temporary)
        try FolderTree.sync(temporary)
        var changed = try FolderTree.names(in: temporary).filter { name in
            try !isSame(FilePath.join(temporary, name), FilePath.join(folder, name))
        }
        let place = FilePath.join(folder, key)
        if changed.count > 1, FilePath.exists(place) {
            try FolderTree.remove(place)
            try FolderTree.sync(folder, isDeep: false)
            changed.append(key)
        }
        for name in changed.filter({ $0 != key }) + (changed.contains(key) ? [key] : []) {
            try AtomicFile.rename(
                FilePath.join(temporary, name), to: FilePath.join(folder, name))
        }
    }

    private static func isSame(_ new: String, _ old: String) throws -> Bool {
        guard FilePath.isFile(old) else { return false }
        let files = (try MappedFile(path: new), try MappedFile(path: old))
        return withExtendedLifetime(files) { files.0.bytes.elementsEqual(files.1.bytes) }
    }
}
