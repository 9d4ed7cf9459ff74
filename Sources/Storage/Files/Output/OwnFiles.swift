import Glibc

/// What this program writes into a folder, and so may remove from it.
public struct OwnFiles: Sendable {
    private let names: [String]
    private let isMarked: @Sendable (_ folder: String) -> Bool
    private let isOwnFolder: @Sendable (_ path: String) -> Bool
    private let passesHidden: Bool

    /// Describes files.
    ///
    /// - Parameters:
    ///   - names: The files' names, in the order in which they are removed: first the one without which
    ///     the others are not used, so that what is half removed is not taken for something whole.
    ///   - isMarked: Whether something in a folder says that this program wrote it. Where nothing does,
    ///     the same names are somebody else's.
    ///   - isOwnFolder: Whether a folder in it, given by its path, is the program's own.
    ///   - passesHidden: Whether hidden files of other programs, such as `.gitignore`, may be there; they
    ///     are left where they are.
    public init(
        _ names: [String], isMarked: @escaping @Sendable (_ folder: String) -> Bool,
        isOwnFolder: @escaping @Sendable (_ path: String) -> Bool = { _ in false },
        passesHidden: Bool = true
    ) {
        (self.names, self.isMarked, self.isOwnFolder) = (names, isMarked, isOwnFolder)
        self.passesHidden = passesHidden
    }

    /// The program's own names in a folder, in the order of removal.
    func ownNames(in folder: String) throws -> [String] {
        let found = try split(folder).own
        return names.filter(found.contains) + found.filter { !names.contains($0) }
    }

    /// A name in a folder that is not the program's own; `nil` if there is none.
    func foreignName(in folder: String) throws -> String? { try split(folder).foreign.first }

    /// Removes what is the program's own, and nothing else.
    ///
    /// - Parameters:
    ///   - folder: An existing folder.
    ///   - kept: A name that stays, as the mark by which the others are known.
    /// - Throws: ``FileError``.
    public func remove(from folder: String, keeping kept: String? = nil) throws {
        for name in try ownNames(in: folder) where name != kept {
            try FolderTree.discard(FilePath.join(folder, name))
        }
    }

    private func split(_ folder: String) throws -> (own: [String], foreign: [String]) {
        let isMarked = isMarked(folder)
        var result: (own: [String], foreign: [String]) = ([], [])
        for name in try FolderTree.names(in: folder) where !isPassedBy(name) {
            let path = FilePath.join(folder, name)
            let isOwn =
                switch FilePath.kind(of: path, followingLinks: false) {
                case S_IFREG: isMarked && names.contains(name)
                case S_IFDIR: isOwnFolder(path)
                // A link leads to something of somebody else's.
                default: false
                }
            if isOwn { result.own.append(name) } else { result.foreign.append(name) }
        }
        return result
    }

    private func isPassedBy(_ name: String) -> Bool {
        name == FolderLock.fileName || name.hasPrefix(".") && passesHidden
            || FolderTree.isLeftover(name)
    }
}
