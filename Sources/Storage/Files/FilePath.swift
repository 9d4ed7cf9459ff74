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

    /// A path without what says that its file is compressed.
    package static func withoutCompression(_ path: String) -> Substring {
        let ending = [".zst", ".gz"].first(where: path.hasSuffix) ?? ""
        return path.dropLast(ending.count)
    }

    /// The kind of file behind a path, `S_IFREG` and so on, or nil if there is none.
    static func kind(of path: String, followingLinks: Bool = true) -> mode_t? {
        var status = stat()
        let result = followingLinks ? stat(path, &status) : lstat(path, &status)
        return result == 0 ? status.st_mode & S_IFMT : nil
    }

    /// The number of bytes of a file.
    package static func size(of path: String) throws -> Int {
        Int(try FileDescriptor(opening: path, flags: O_RDONLY, action: "open").status().st_size)
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

/// What can be wrong with a file before its content is looked at.
public enum FileError: Error, Equatable {
    /// A call of the operating system failed with the given `errno`.
    case system(file: String, action: String, code: Int32)
    /// The path names a folder, a device or the like.
    case notRegular(file: String)
    /// The path is taken and may not be replaced.
    case exists(file: String)
    /// The content is longer than the reader accepts.
    case tooLong(file: String, limit: Int)
    /// A line is longer than the reader accepts; lines count from 1.
    case lineTooLong(file: String, line: Int, limit: Int)
    /// A line is not UTF-8; lines and bytes within the line count from 1.
    case notUTF8(file: String, line: Int, byte: Int)
    /// The name ends in `.zst` and the content begins differently.
    case notZstandard(file: String)
    /// The compressed data end inside a frame, after `offset` bytes of the file.
    case truncatedFrame(file: String, offset: Int)
    /// The compressed data are damaged, or need too large a window, near byte `offset` of the file.
    case badFrame(file: String, offset: Int, reason: String)
    /// The name ends in `.gz` and the content begins differently.
    case notGzip(file: String)
    /// The compressed data end inside a gzip member, after `offset` bytes of the file.
    case truncatedMember(file: String, offset: Int)
    /// The gzip data are damaged near byte `offset` of the file.
    case badMember(file: String, offset: Int, reason: String)
}

extension FileError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .system(let file, let action, let code):
            "\(quotedPath(file)): cannot \(action): \(FileError.text(of: code))"
        case .notRegular(let file):
            "\(quotedPath(file)): is not a regular file"
        case .exists(let file):
            "\(quotedPath(file)): exists already; choose another name or remove it"
        case .tooLong(let file, let limit):
            "\(quotedPath(file)): holds more than \(limit) bytes, the limit for this kind of file"
        case .lineTooLong(let file, let line, let limit):
            "\(quotedPath(file)):\(line): line holds more than \(limit) bytes, the limit"
        case .notUTF8(let file, let line, let byte):
            "\(quotedPath(file)):\(line): not valid UTF-8 at byte \(byte)"
        case .notZstandard(let file):
            "\(quotedPath(file)): name ends in .zst, found no zstd frame; rename it if it is plain"
        case .truncatedFrame(let file, let offset):
            "\(quotedPath(file)): zstd frame is cut off at byte \(offset), the end of the file"
        case .badFrame(let file, let offset, let reason):
            "\(quotedPath(file)): zstd data are damaged near byte \(offset): \(reason)"
        case .notGzip(let file):
            "\(quotedPath(file)): name ends in .gz, found no gzip data; rename it if it is plain"
        case .truncatedMember(let file, let offset):
            "\(quotedPath(file)): gzip data are cut off at byte \(offset), the end of the file"
        case .badMember(let file, let offset, let reason):
            "\(quotedPath(file)): gzip data are damaged near byte \(offset): \(reason)"
        }
    }

    private static func text(of code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}

/// The text in single quotes, on one line: control characters escaped, long text cut.
package func quoted(_ text: String) -> String { "'\(oneLine(text))'" }

/// A path as it stands in front of a message, on one line.
package func quotedPath(_ path: String) -> String { oneLine(path, limit: 4096) }

/// A text from a file on one line: control characters escaped, long text cut.
package func oneLine(_ text: String, limit: Int = 200) -> String {
    var result = ""
    for (count, scalar) in text.unicodeScalars.enumerated() {
        if count == limit { return result + "…" }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// How alike words are spelt.
package enum Spelling {
    /// The word that is spelt most like another, for "did you mean".
    ///
    /// Case, and whether words are joined by dashes or underscores, do not count. A few letters may be
    /// wrong, more in longer words; else a word counts that goes on from what was typed.
    ///
    /// - Parameters:
    ///   - word: What was typed.
    ///   - known: What could have been meant.
    /// - Returns: One of `known`, the first of equals; `nil` if none is like it.
    package static func nearest(to word: String, among known: [String]) -> String? {
        let typed = plain(word)
        guard !typed.isEmpty else { return nil }
        let close = known.map { (name: $0, distance: distance(plain($0), typed)) }
            .min { $0.distance < $1.distance }
        let tolerance = typed.count < 4 ? 1 : typed.count < 12 ? 2 : 3
        if let close, close.distance <= tolerance { return close.name }
        return known.first { typed.count > 1 && plain($0).hasPrefix(typed) }
    }

    private static func plain(_ word: String) -> String {
        String(word.prefix(64).lowercased().map { $0 == "_" ? "-" : $0 })
    }

    /// The least number of letters to insert, delete, replace or swap with their neighbour.
    ///
    /// Source: the optimal string alignment distance, by dynamic programming.
    /// - Complexity: O(*n*·*m*) for words of *n* and *m* letters.
    static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left), Array(right))
        var rows = [Array(0...b.count)]
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = min(rows[i][j + 1], row[j]) + 1
                least = min(least, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    least = min(least, rows[i - 1][j - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
