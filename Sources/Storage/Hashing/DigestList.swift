/// The SHA-256 of every file of a folder, in a file that `sha256sum --check` reads, too.
public enum DigestList {
    /// The file's name.
    public static let fileName = "SHA256SUMS"

    /// Writes the list for the files that are there.
    ///
    /// - Parameter folder: A folder of regular files.
    /// - Throws: ``FileError``.
    /// - Complexity: Reads all files once.
    public static func write(to folder: String) throws {
        let names = try FolderTree.names(in: folder).filter { $0 != fileName }
        let lines = try names.map { name in
            try SHA256.hexadecimal(ofFile: FilePath.join(folder, name)) + "  \(name)\n"
        }
        try AtomicFile.write(lines.joined(), to: FilePath.join(folder, fileName))
    }

    /// Holds the files against the list.
    ///
    /// - Parameter folder: The folder; without a list nothing is checked.
    /// - Throws: ``DigestError``, or ``FileError`` if a file is missing.
    public static func check(_ folder: String) throws {
        let list = FilePath.join(folder, fileName)
        guard FilePath.exists(list) else { return }
        let reader = try LineReader(path: list)
        while let line = try reader.next() {
            let parts = line.text.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].utf8.count == 64, let name = parts.last?.dropFirst(),
                !name.contains("/")
            else { throw DigestError.malformed(file: list) }
            let file = FilePath.join(folder, String(name))
            guard try SHA256.hexadecimal(ofFile: file) == parts[0] else {
                throw DigestError.differs(file: file, list: fileName)
            }
        }
    }
}

/// What can be wrong with files that have digests.
public enum DigestError: Error, Equatable {
    /// A file is not the one whose digest was written down.
    case differs(file: String, list: String)
    /// The list has a line that is none of its own.
    case malformed(file: String)
}

extension DigestError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .differs(let file, let list):
            "\(quotedPath(file)): has another SHA-256 than \(list) says; it is damaged or was changed"
        case .malformed(let file):
            "\(quotedPath(file)): has a line that is not a SHA-256, two blanks and a name"
        }
    }
}
