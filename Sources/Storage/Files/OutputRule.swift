import Glibc

/// The one rule for what commands write: what exists stays, unless it is this program's own and the user
/// says `--overwrite`; and what is read is never written, whatever the user says.
///
///     try OutputRule.checkFile(path, apartFrom: [.init(model, option: "--model")], isOverwriting: false)
public enum OutputRule {
    /// Something that a command reads.
    public struct Input: Equatable, Sendable {
        /// A file or folder; what does not exist is in nobody's way.
        public let path: String
        /// How the user named it, such as `--model`.
        public let option: String

        /// Describes an input.
        public init(_ path: String, option: String) {
            self.path = path
            self.option = option
        }
    }

    /// What users are told to do about something that exists.
    public static let remedy = "choose another name or give --overwrite"

    /// Checks the name of a file to be written.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - inputs: What is read; of a folder, the files in it.
    ///   - isOverwriting: Whether a file that exists may be replaced.
    ///   - remedy: What the user can do if it exists.
    /// - Throws: ``OutputError``, or ``FileError/notRegular(file:)`` for a folder, device and the like.
    public static func checkFile(
        _ path: String, apartFrom inputs: [Input] = [], isOverwriting: Bool,
        remedy: String = OutputRule.remedy
    ) throws {
        guard let kind = FilePath.kind(of: path, followingLinks: false) else { return }
        if let identity = FileIdentity(path),
            let input = inputs.first(where: { files(of: $0.path).contains(identity) })
        {
            throw OutputError.isInput(output: path, option: input.option)
        }
        let target = FilePath.kind(of: path)
        // A link that leads nowhere is in the way like a file.
        guard target == S_IFREG || target == nil && kind == S_IFLNK else {
            throw FileError.notRegular(file: path)
        }
        if !isOverwriting { throw OutputError.exists(output: path, remedy: remedy) }
    }

    /// Checks the name of a folder to be filled.
    ///
    /// - Parameters:
    ///   - path: The folder, which need not exist.
    ///   - inputs: What is read; the folder may not be one of them, hold one or lie in one.
    ///   - own: What this program writes into such a folder.
    ///   - isOverwriting: Whether the program's own files may be replaced.
    ///   - remedy: What the user can do if there are any.
    /// - Throws: ``OutputError``, or ``FileError`` if it is no folder or cannot be listed.
    public static func checkFolder(
        _ path: String, apartFrom inputs: [Input], own: OwnFiles, isOverwriting: Bool,
        remedy: String = OutputRule.remedy
    ) throws {
        try checkApart(path, from: inputs)
        guard FilePath.kind(of: path, followingLinks: false) != nil else { return }
        guard FilePath.isFolder(path) else {
            throw FileError.system(file: path, action: "write into", code: ENOTDIR)
        }
        if let foreign = try own.foreignName(in: path) {
            throw OutputError.foreign(folder: path, name: foreign)
        }
        guard try isOverwriting || own.ownNames(in: path).isEmpty else {
            throw OutputError.exists(output: path, remedy: remedy)
        }
    }

    /// Refuses a folder that is one of the inputs, holds one or lies in one, by whatever path.
    ///
    /// - Parameters:
    ///   - path: The folder, which need not exist.
    ///   - inputs: What is read.
    /// - Throws: ``OutputError``.
    public static func checkApart(_ path: String, from inputs: [Input]) throws {
        let output = FileIdentity(path)
        let around = FileIdentity.folders(around: path)
        for input in inputs {
            for place in [input.path] + linkedFiles(of: input.path) {
                guard let identity = FileIdentity(place) else { continue }
                if identity == output {
                    throw OutputError.isInput(output: path, option: input.option)
                }
                if around.contains(identity) {
                    throw OutputError.inside(
                        output: path, input: input.path, option: input.option)
                }
                if let output, FileIdentity.folders(around: place).contains(output) {
                    throw OutputError.around(output: path, input: place, option: input.option)
                }
            }
        }
    }

    /// A file, or a folder and what is in it.
    private static func files(of path: String) -> Set<FileIdentity> {
        let names = FilePath.isFolder(path) ? (try? FolderTree.names(in: path)) ?? [] : []
        let places = [path] + names.map { FilePath.join(path, $0) }
        return Set(places.compactMap { FileIdentity($0) })
    }

    /// The files of a folder that are links, as the hub's cache has them: what they lead to is read too.
    private static func linkedFiles(of folder: String) -> [String] {
        let names = FilePath.isFolder(folder) ? (try? FolderTree.names(in: folder)) ?? [] : []
        return names.map { FilePath.join(folder, $0) }
            .filter { FilePath.kind(of: $0, followingLinks: false) == S_IFLNK }
    }
}

/// Which file or folder a path leads to, whatever the path.
struct FileIdentity: Hashable {
    private let device: UInt
    private let number: UInt

    /// Looks a path up; `nil` if nothing is there.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Takes what the system tells about a file.
    init(_ status: stat) {
        device = UInt(status.st_dev)
        number = UInt(status.st_ino)
    }

    /// The folders that a path lies in, up to the root; of a path that does not exist, those that do.
    static func folders(around path: String) -> Set<FileIdentity> {
        var place = FilePath.trimmed(path)
        var real = realpath(place, nil)
        while real == nil, place != "/", place != "." {
            place = FilePath.folder(of: place)
            real = realpath(place, nil)
        }
        guard let real else { return [] }
        defer { free(real) }
        // Of a path that exists, the folder above it is the first.
        var folder = String(cString: real)
        if place == FilePath.trimmed(path) { folder = FilePath.folder(of: folder) }
        var result: Set<FileIdentity> = []
        while true {
            if let identity = FileIdentity(folder) { result.insert(identity) }
            if folder == "/" { return result }
            folder = FilePath.folder(of: folder)
        }
    }
}

/// Why something is not written.
public enum OutputError: Error, Equatable {
    /// It is what an option names as something to read.
    case isInput(output: String, option: String)
    /// It lies in a folder that is read.
    case inside(output: String, input: String, option: String)
    /// It is a folder with something in it that is read.
    case around(output: String, input: String, option: String)
    /// It exists.
    case exists(output: String, remedy: String)
    /// It is a folder that holds something of somebody else's.
    case foreign(folder: String, name: String)
    /// It is a folder that another process writes into.
    case inUse(folder: String, by: String)
}

extension OutputError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .isInput(let output, let option):
            "\(quotedPath(output)): is what \(option) names, expected an output of its own; "
                + "choose another name"
        case .inside(let output, let input, let option):
            "\(quotedPath(output)): lies in \(quoted(input)), which \(option) names, "
                + "expected an output of its own; choose another name"
        case .around(let output, let input, let option):
            "\(quotedPath(output)): holds \(quoted(input)), which \(option) names, "
                + "expected an output of its own; choose another name"
        case .exists(let output, let remedy):
            "\(quotedPath(output)): exists already; \(remedy)"
        case .foreign(let folder, let name):
            "\(quotedPath(folder)): holds \(quoted(name)), which is none of the files written here; "
                + "choose another folder or move it away"
        case .inUse(let folder, let holder):
            "\(quotedPath(folder)): is in use by \(oneLine(holder)); "
                + "wait until it is done or choose another folder"
        }
    }
}

/// What this program writes into a folder, and so may remove from it.
public struct OwnFiles: Sendable {
    private let names: [String]
    private let isMarked: @Sendable (_ folder: String) -> Bool
    private let isOwnFolder: @Sendable (_ path: String) -> Bool
    private let passesHidden: Bool

    /// What tells people of a folder, whoever wrote it: it is left where it is, and who writes one sees to it that
    /// nobody's words are lost.
    package static let cardName = "README.md"

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
        self.names = names
        self.isMarked = isMarked
        self.isOwnFolder = isOwnFolder
        self.passesHidden = passesHidden
    }

    /// The program's own names in a folder, in the order of removal.
    fileprivate func ownNames(in folder: String) throws -> [String] {
        let found = try split(folder).own
        return names.filter(found.contains) + found.filter { !names.contains($0) }
    }

    /// A name in a folder that is not the program's own; `nil` if there is none.
    fileprivate func foreignName(in folder: String) throws -> String? {
        try split(folder).foreign.first
    }

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
            || name == OwnFiles.cardName || FolderTree.isLeftover(name)
    }
}

/// Tells whether a file is still the one that was written or read: it changes when somebody writes to the
/// file, or puts another one into its place.
package struct FileVersion: Hashable {
    // The number of a file that was replaced is soon another one's, so it alone does not do.
    private let numbers: [Int]

    /// Looks a path up; `nil` if nothing is there.
    package init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        numbers = [
            Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino),
            Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
        ]
    }
}

/// A folder that one process at a time writes into, until this object is gone.
///
/// The file `run.lock` in it is locked and tells who holds it. The lock ends with the process, however that
/// ends; a file that is left is taken over by the next.
public final class FolderLock {
    /// The file's name.
    public static let fileName = "run.lock"

    private let descriptor: FileDescriptor
    private let identity: FileIdentity

    /// Locks a folder.
    ///
    /// - Parameter folder: An existing folder.
    /// - Throws: ``OutputError/inUse(folder:by:)``, or ``FileError``.
    public init(_ folder: String) throws {
        descriptor = try FolderLock.open(FilePath.join(folder, FolderLock.fileName), folder)
        identity = FileIdentity(try descriptor.status())
        // On a full disk the lock holds, but does not tell whose it is.
        var text = "process \(getpid()), which began at \(FolderLock.now) UTC\n"
        ftruncate(descriptor.raw, 0)
        text.withUTF8 { _ = pwrite(descriptor.raw, $0.baseAddress, $0.count, 0) }
    }

    deinit {
        if FileIdentity(descriptor.path) == identity { unlink(descriptor.path) }
    }

    private static func open(_ path: String, _ folder: String) throws -> FileDescriptor {
        let descriptor = try FileDescriptor(
            opening: path, flags: O_RDWR | O_CREAT | O_NOFOLLOW, action: "open")
        guard flock(descriptor.raw, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else {
                throw FileError.system(file: path, action: "lock", code: errno)
            }
            throw OutputError.inUse(folder: folder, by: holder(descriptor))
        }
        // Between opening and locking, its holder may have ended and removed it.
        let isCurrent = try FileIdentity(path) == FileIdentity(descriptor.status())
        return isCurrent ? descriptor : try open(path, folder)
    }

    private static func holder(_ descriptor: borrowing FileDescriptor) -> String {
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = pread(descriptor.raw, &bytes, bytes.count, 0)
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        return text.split(separator: "\n").first.map { String($0) } ?? "another process"
    }

    private static var now: String {
        var (seconds, parts) = (time(nil), tm())
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}
