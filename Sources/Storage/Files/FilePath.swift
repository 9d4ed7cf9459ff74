import Glibc

/// Path arithmetic and the few questions asked about a path.
package enum FilePath {
    /// The folder part of a path, `.` if there is none.
    package static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        let folder = String(path[..<slash])
        return folder.isEmpty ? "/" : folder
    }

    /// The last component of a path.
    package static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// A path below a folder.
    package static func join(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// A path without the slashes at its end.
    package static func trimmed(_ path: String) -> String {
        var result = Substring(path)
        while result.utf8.count > 1, result.hasSuffix("/") { result.removeLast() }
        return String(result)
    }

    /// The kind of file behind a path, `S_IFREG` and so on, or nil if there is none.
    static func kind(of path: String, followingLinks: Bool = true) -> mode_t? {
        var status = stat()
        let result = followingLinks ? stat(path, &status) : lstat(path, &status)
        return result == 0 ? status.st_mode & S_IFMT : nil
    }

    /// Whether there is something behind a path.
    package static func exists(_ path: String) -> Bool { kind(of: path) != nil }

    /// Whether there is a folder behind a path.
    package static func isFolder(_ path: String) -> Bool { kind(of: path) == S_IFDIR }

    /// Whether there is a regular file behind a path.
    package static func isFile(_ path: String) -> Bool { kind(of: path) == S_IFREG }

    /// A hidden name beside `path` for a file or folder in the making.
    ///
    /// The process number keeps two processes apart, `attempt` two files of one process.
    static func neighbour(of path: String, attempt: Int) -> String {
        join(folder(of: path), ".\(name(of: path)).\(getpid()).\(attempt).tmp")
    }
}
