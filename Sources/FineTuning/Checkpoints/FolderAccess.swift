import FoundationEssentials
import Glibc
import Storage

/// What checkpoints do with folders; failures read as those of files do.
enum FolderAccess {
    /// Makes a folder and those above it, unless it is there.
    static func create(_ path: String) throws {
        try attempt("create", path) {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }
    }

    /// The names in a folder; none if there is no such folder.
    static func names(in path: String) throws -> [String] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try attempt("list", path) {
            try FileManager.default.contentsOfDirectory(atPath: path)
        }
    }

    /// Removes a folder with all that is in it, under a hidden name while it is half removed.
    static func remove(_ path: String, hiddenAs hidden: String) throws {
        let files = FileManager.default
        guard files.fileExists(atPath: path) else { return }
        try attempt("remove", path) {
            if files.fileExists(atPath: hidden) { try files.removeItem(atPath: hidden) }
            try files.moveItem(atPath: path, toPath: hidden)
            try files.removeItem(atPath: hidden)
        }
    }

    private static func attempt<Result>(
        _ action: String, _ path: String, _ body: () throws -> Result
    ) throws -> Result {
        errno = 0
        do {
            return try body()
        } catch {
            throw FileError.system(file: path, action: action, code: errno == 0 ? EIO : errno)
        }
    }
}
