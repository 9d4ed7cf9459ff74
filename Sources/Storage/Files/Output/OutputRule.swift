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
        public init(_ path: String, option: String) { (self.path, self.option) = (path, option) }
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
    init(_ status: stat) { (device, number) = (UInt(status.st_dev), UInt(status.st_ino)) }

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
