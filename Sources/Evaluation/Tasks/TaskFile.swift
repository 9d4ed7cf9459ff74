import Storage

/// One task file, read with all that it includes.
struct TaskFile: Sendable {
    /// Where files are: built in, or below a folder.
    enum Source: Sendable {
        case builtIn
        case disk
    }

    /// The path, or for a built-in file its name.
    let path: String
    let source: Source
    /// The keys, those of included files first.
    var keys: JSONObject
    /// The first key that means nothing, of this file or one that it includes.
    ///
    /// It is an error only where the file is used: not every YAML file beside tasks is one.
    var unknownKey: UnknownKey?
}

extension String {
    /// The path of a file named relative to this file, with `.` and `..` resolved.
    func neighbour(_ name: String) -> String {
        let isAbsolute = hasPrefix("/")
        var parts: [Substring] = []
        let folder = utf8.contains(UInt8(ascii: "/")) ? FilePath.folder(of: self) : ""
        for part in folder.split(separator: "/") + name.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else {
                parts.append(part)
            }
        }
        return (isAbsolute ? "/" : "") + parts.joined(separator: "/")
    }
}
