import Storage

/// Knows tasks, groups and tags by their names.
public struct TaskIndex: Sendable {
    /// What a name stands for.
    public enum Kind: String, Sendable {
        /// One task.
        case task
        /// A group, with members and perhaps figures of its own.
        case group
        /// A word that tasks carry; short for all of them.
        case tag
    }

    /// What is known of a name.
    public struct Entry: Sendable {
        /// The name.
        public let name: String
        /// What it stands for.
        public let kind: Kind
        /// The file of a task or group, or its name if it is built in; empty for a tag.
        public let path: String
        /// The output type of a task, as its file spells it; empty for others.
        public let outputType: String
        /// The tasks that carry a tag, sorted.
        public internal(set) var members: [String]
        let file: TaskFile?
    }

    /// The folders with a user's own files.
    let folders: [String]
    /// All names.
    public private(set) var entries: [String: Entry] = [:]
    /// Files that could not be read, and names that replaced others: sentences for the user.
    public private(set) var warnings: [String] = []
    /// The sentences about files that could not be read.
    private(set) var unreadable: [String] = []

    /// Reads the built-in tasks and those below folders.
    ///
    /// - Parameter includePaths: Folders with a user's own files; their names replace built-in ones,
    ///   later folders' those of earlier ones.
    /// - Throws: ``TaskError`` about a built-in file, or `FileError` about a folder; what is wrong with a
    ///   user's file is in ``warnings``, as the file may not be needed.
    public init(includePaths: [String] = []) throws {
        folders = includePaths
        let builtIn = TaskFileReader(.builtIn)
        let files = try BuiltInTasks.names.filter { $0.hasSuffix(".yaml") }.map(builtIn.read)
        try add(files, isBuiltIn: true)
        let reader = TaskFileReader(.disk, folders: includePaths)
        for folder in includePaths {
            var files: [TaskFile] = []
            for path in try reader.paths(below: folder) {
                do {
                    files.append(try reader.read(path))
                } catch {
                    unreadable.append("\(error)")
                    warnings.append("\(error)")
                }
            }
            try add(files, isBuiltIn: false)
        }
    }

    private mutating func add(_ files: [TaskFile], isBuiltIn: Bool) throws {
        var names: Set<String> = []
        var tags: [String: Set<String>] = [:]
        defer { register(tags) }
        for file in files {
            // Files without a name are there to be included.
            guard file.keys["task"] != nil || file.keys["group"] != nil else { continue }
            do {
                let entry = try TaskIndex.entry(file)
                guard names.insert(entry.name).inserted else {
                    warnings.append(
                        "\(quotedPath(file.path)): name \(quoted(entry.name)) is taken by another file of the folder, "
                            + "which counts")
                    continue
                }
                if let old = entries[entry.name], old.kind != .tag, !isBuiltIn {
                    warnings.append(
                        "\(quotedPath(file.path)): \(quoted(entry.name)) replaces that of "
                            + quotedPath(old.path))
                }
                entries[entry.name] = entry
                if entry.kind == .task {
                    for tag in try TaskKeys(file).strings("tag") {
                        tags[tag, default: []].insert(entry.name)
                    }
                }
            } catch {
                if isBuiltIn { throw error }
                unreadable.append("\(error)")
                warnings.append("\(error)")
            }
        }
    }

    private static func entry(_ file: TaskFile) throws(TaskError) -> Entry {
        let kind: Kind = file.keys["group"] != nil ? .group : .task
        let reader = TaskKeys(file)
        return Entry(
            name: try reader.string(kind.rawValue), kind: kind, path: file.path,
            outputType: kind == .task
                ? file.keys["output_type"]?.stringValue ?? OutputType.generateUntil.rawValue : "",
            members: [], file: file)
    }

    /// Adds tags with the tasks that carry them; a task or group of that name counts before a tag.
    private mutating func register(_ tags: [String: Set<String>]) {
        for (tag, tasks) in tags {
            var entry =
                entries[tag]
                ?? Entry(name: tag, kind: .tag, path: "", outputType: "", members: [], file: nil)
            guard entry.kind == .tag else { continue }
            entry.members = tasks.union(entry.members).sorted {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
            entries[tag] = entry
        }
    }

    /// The error for names that stand for nothing.
    func unknown(_ names: [String]) -> TaskError {
        let nearest = names.first.flatMap {
            Spelling.nearest(to: $0, among: entries.keys.sorted())
        }
        return .unknownNames(names, nearest: nearest, unreadable: unreadable)
    }

    /// The entries of a kind, sorted by name.
    ///
    /// - Parameter kind: The kind.
    /// - Returns: The entries.
    public func sorted(_ kind: Kind) -> [Entry] {
        entries.values.filter { $0.kind == kind }.sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
    }
}
