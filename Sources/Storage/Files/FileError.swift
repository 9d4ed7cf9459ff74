import Glibc

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
        }
    }

    private static func text(of code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
