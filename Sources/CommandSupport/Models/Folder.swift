import Glibc

/// Folders that commands write into.
public enum Folder {
    /// Makes a folder, and those above it, unless it is there.
    ///
    /// - Parameter path: The folder.
    /// - Throws: ``FolderError/cannotCreate(path:reason:)``.
    public static func create(_ path: String) throws {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw FolderError.cannotCreate(path: path, reason: "a file of that name exists")
            }
            guard access(path, W_OK) == 0 else { throw failure(path) }
            return
        }
        let above = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let parent = above.joined(separator: "/")
        if !parent.isEmpty { try create(parent) }
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw failure(path) }
    }

    /// Whether something of that name exists.
    public static func contains(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func failure(_ path: String) -> FolderError {
        .cannotCreate(path: path, reason: String(cString: strerror(errno)).lowercased())
    }
}

/// Why a folder cannot be used.
public enum FolderError: Error, Equatable {
    /// The folder cannot be made or written into.
    case cannotCreate(path: String, reason: String)
}

extension FolderError: CustomStringConvertible {
    /// One line that names the folder.
    public var description: String {
        switch self {
        case .cannotCreate(let path, let reason):
            "\(path): cannot write into this folder: \(reason)"
        }
    }
}
