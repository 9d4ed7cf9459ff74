import FoundationEssentials
import Glibc
import Storage
import YAML

/// Reads task files with all that they include.
///
/// A file is read once, however many include it, and what it comes to with its includes is kept. What
/// files include stays inside the folders that were named.
final class TaskFileReader {
    /// What the files of a user may be at most.
    struct Limits {
        /// Files that include files that include files.
        var includeDepth = 64
        /// Task files below the folders that were named.
        var files = 20_000
        /// Bytes of all files.
        var bytes = 64 << 20
        /// Keys that are copied from file to file.
        var includedKeys = 2_000_000
    }

    /// A file with its own keys.
    private struct Own {
        var keys: JSONObject
        var includes: [String] = []
        var unknownKey: UnknownKey?
    }

    private let source: TaskFile.Source
    private let limits: Limits
    /// The folders that includes stay in, without links.
    private let folders: [String]
    private var own: [String: Result<Own, any Error>] = [:]
    private var whole: [String: TaskFile] = [:]
    private var (bytes, includedKeys) = (0, 0)
    /// Keys that stand twice in a file, one sentence each.
    private(set) var warnings: [String] = []

    /// Prepares to read.
    ///
    /// - Parameters:
    ///   - source: Where files are.
    ///   - folders: For files on disk, the folders that includes stay in.
    ///   - limits: What files may be at most.
    init(_ source: TaskFile.Source, folders: [String] = [], limits: Limits = Limits()) {
        self.source = source
        self.limits = limits
        self.folders = folders.compactMap(TaskFileReader.resolved)
    }

    /// Reads a file and, before it, what it includes.
    ///
    /// - Throws: ``TaskError``, `YAMLError` or `FileError`.
    func read(_ path: String) throws -> TaskFile { try read(path, above: []) }

    private func read(_ path: String, above: [String]) throws -> TaskFile {
        if let file = whole[path] { return file }
        guard above.count <= limits.includeDepth else {
            throw TaskError.limit(
                file: above[0], what: "levels of files that include files",
                limit: limits.includeDepth)
        }
        let own = try self.own(path, above: above)
        var file = TaskFile(
            path: path, source: source, keys: JSONObject(), unknownKey: own.unknownKey)
        for included in own.includes {
            let target = included.hasPrefix("/") ? included : path.neighbour(included)
            guard !above.contains(target), target != path else {
                throw TaskError.includeCycle(file: path, included: included)
            }
            try requireInside(target, file: path, included: included)
            let part: TaskFile
            do {
                part = try read(target, above: above + [path])
            } catch let error as FileError {
                throw TaskError.include(file: path, included: included, problem: "\(error)")
            }
            file.unknownKey = file.unknownKey ?? part.unknownKey
            var keys = part.keys
            keys["task_list"] = nil
            try merge(keys, into: &file)
        }
        try merge(own.keys, into: &file)
        whole[path] = file
        return file
    }

    private func merge(_ keys: JSONObject, into file: inout TaskFile) throws(TaskError) {
        includedKeys += keys.count
        guard includedKeys <= limits.includedKeys else {
            throw .limit(
                file: file.path, what: "keys of included files", limit: limits.includedKeys)
        }
        for member in keys.members { file.keys[member.key] = member.value }
    }

    private func own(_ path: String, above: [String]) throws -> Own {
        if let known = own[path] { return try known.get() }
        let result = Result { try parse(path, above: above) }
        own[path] = result
        return try result.get()
    }

    private func parse(_ path: String, above: [String]) throws -> Own {
        let node: YAMLNode?
        switch source {
        case .builtIn:
            guard let content = BuiltInTasks.file(named: path) else {
                throw TaskError.include(
                    file: above.last ?? path, included: path, problem: "there is no such file")
            }
            node = try YAMLReader.parse(content, file: path)
        case .disk:
            bytes += TaskFileReader.size(of: path)
            guard bytes <= limits.bytes else {
                throw TaskError.limit(
                    file: path, what: "bytes of task files in all", limit: limits.bytes)
            }
            node = try YAMLReader.read(path) { key, line in
                self.warnings.append(
                    "\(quotedPath(path)):\(line): key \(quoted(key)) appears twice; the last one counts"
                )
            }
        }
        guard let members = node?.members else {
            throw TaskError.notMapping(file: path, found: (node?.value ?? .null).kind)
        }
        var own = Own(
            keys: JSONObject(members.map { ($0.key, $0.value.value) }).markingFunctions(of: path))
        own.unknownKey = TaskSchema.unknownKey(in: members, file: path)
        if let include = own.keys["include"] {
            own.includes = try TaskFileReader.names(include, file: path)
            own.keys["include"] = nil
        }
        return own
    }

    /// The names, of equal ones the last.
    private static func names(_ value: JSONValue, file: String) throws(TaskError) -> [String] {
        let items = value.arrayValue ?? [value]
        let names = items.compactMap(\.stringValue)
        guard names.count == items.count else {
            throw .kind(
                file: file, key: "include", found: value.kind,
                expected: "a file name or a list of them")
        }
        var seen: Set<String> = []
        return names.reversed().filter { seen.insert($0).inserted }.reversed()
    }

    private func requireInside(
        _ target: String, file: String, included: String
    ) throws(TaskError) {
        // A file that is not there is an error of its own.
        guard source == .disk, whole[target] == nil,
            let real = TaskFileReader.resolved(target)
        else { return }
        let isInside = folders.contains { folder in
            real.hasPrefix(folder.hasSuffix("/") ? folder : folder + "/")
        }
        guard isInside else { throw .includeOutside(file: file, included: included) }
    }

    /// A path without links, nil if there is nothing behind it.
    private static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private static func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? max(0, Int(status.st_size)) : 0
    }

    /// The files ending in `.yaml` below a folder, in the order of their paths.
    ///
    /// - Throws: ``TaskError/limit(file:what:limit:)`` or `FileError`.
    func paths(below folder: String) throws -> [String] {
        guard FilePath.isFolder(folder) else {
            throw FileError.system(file: folder, action: "list", code: ENOENT)
        }
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        let ignored = ["__pycache__", ".ipynb_checkpoints"]
        let paths =
            names
            .filter { name in
                name.hasSuffix(".yaml")
                    && !name.split(separator: "/").contains { ignored.contains(String($0)) }
            }
            .map { FilePath.join(folder, $0) }
        guard paths.count <= limits.files else {
            throw TaskError.limit(file: folder, what: "task files", limit: limits.files)
        }
        return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

extension JSONObject {
    /// Notes at every Python function in which file it is named, which says where its module is.
    fileprivate func markingFunctions(of path: String) -> JSONObject {
        JSONObject(members.map { ($0.key, $0.value.markingFunctions(of: path)) })
    }
}

extension JSONValue {
    fileprivate func markingFunctions(of path: String) -> JSONValue {
        switch self {
        case .array(let items): return .array(items.map { $0.markingFunctions(of: path) })
        case .object(var object):
            if object.count == 1, object[YAMLNode.functionKey] != nil {
                object["file"] = .string(path)
                return .object(object)
            }
            return .object(object.markingFunctions(of: path))
        default: return self
        }
    }
}

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

/// What can be wrong with a task file, or with the names of tasks.
public enum TaskError: Error, Equatable {
    /// A key means nothing here; `nearest` is spelt like it.
    case unknownKey(file: String, line: Int, key: String, nearest: String?)
    /// Files are larger or more than a limit.
    case limit(file: String, what: String, limit: Int)
    /// The file does not hold a mapping.
    case notMapping(file: String, found: String)
    /// A file that another includes cannot be read.
    case include(file: String, included: String, problem: String)
    /// A file includes one that is outside of the folders that were named.
    case includeOutside(file: String, included: String)
    /// Files include each other in a circle.
    case includeCycle(file: String, included: String)
    /// The file is neither a task nor a group.
    case neither(file: String)
    /// A key is not there.
    case missingKey(file: String, key: String)
    /// A key holds another kind of value.
    case kind(file: String, key: String, found: String, expected: String)
    /// A key holds a word that is none of those it may hold.
    case choice(file: String, key: String, found: String, expected: [String])
    /// A key asks for what is not done here.
    case unsupported(file: String, key: String, found: String)
    /// A Python function that is none of the built-in ones.
    case unknownFunction(file: String, key: String, function: String, known: [String])
    /// A Python file beside the task is not the harness's, and Python is not run.
    case foreignPython(file: String, function: String, python: String)
    /// What a key asks for needs Python, which is not run.
    case needsPython(file: String, key: String, what: String)
    /// A Python function cannot be imported or raised an error.
    case python(file: String, key: String, problem: String)
    /// The task runs code that a model wrote, which the user does not allow.
    case unsafeCode(file: String)
    /// A template cannot be read.
    case template(file: String, key: String, problem: String)
    /// Names that stand for nothing; `nearest` is spelt like the first one.
    case unknownNames([String], nearest: String?, unreadable: [String])
    /// A task would run twice, by two ways.
    case duplicate(task: String, first: String, second: String)
    /// A group has itself as a member, directly or not.
    case groupCycle(String)
    /// A member of a group does not say what it is.
    case member(group: String, file: String, found: String)
}

extension TaskError: CustomStringConvertible {
    /// One line that names the file and the key.
    public var description: String {
        switch self {
        case .unknownKey(let file, let line, let key, let nearest):
            "\(quotedPath(file)):\(line): key \(quoted(key)) is not known"
                + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        case .limit(let file, let what, let limit):
            "\(quotedPath(file)): more than \(limit) \(what), the limit"
        case .notMapping(let file, let found):
            "\(quotedPath(file)): holds \(found), expected a mapping of keys to values"
        case .include(let file, let included, let problem):
            "\(quotedPath(file)): key 'include' names \(quoted(included)): \(problem)"
        case .includeOutside(let file, let included):
            "\(quotedPath(file)): key 'include' names \(quoted(included)), which is outside of the "
                + "folders that were named; name its folder with --include-path"
        case .includeCycle(let file, let included):
            "\(quotedPath(file)): key 'include' names \(quoted(included)), which includes this file"
        case .neither(let file):
            "\(quotedPath(file)): has none of the keys 'task' and 'group', expected one"
        case .missingKey(let file, let key): "\(quotedPath(file)): key \(quoted(key)) is missing"
        case .kind(let file, let key, let found, let expected):
            "\(quotedPath(file)): key \(quoted(key)) is \(found), expected \(expected)"
        case .choice(let file, let key, let found, let expected):
            "\(quotedPath(file)): key \(quoted(key)) is \(quoted(found)), expected one of "
                + expected.joined(separator: ", ")
        case .unsupported(let file, let key, let found):
            "\(quotedPath(file)): key \(quoted(key)) asks for \(found), which is not supported"
        case .unknownFunction(let file, let key, let function, let known):
            "\(quotedPath(file)): key \(quoted(key)) names the Python function \(quoted(function)), which is not built in; "
                + "choose from " + known.joined(separator: ", ")
                + ", or run it with --python python3"
        case .foreignPython(let file, let function, let python):
            "\(quotedPath(file)): function \(quoted(function)) stands in \(quotedPath(python)), which is not the harness's file; "
                + "run it with --python python3, or remove that file to use the built-in function"
        case .needsPython(let file, let key, let what):
            "\(quotedPath(file)): key \(quoted(key)) names \(what), which needs Python; "
                + "run it with --python python3"
        case .unsafeCode(let file):
            "\(quotedPath(file)): runs code that the model writes; allow that with "
                + "--confirm-run-unsafe-code"
        case .python(let file, let key, let problem):
            "\(quotedPath(file)): key \(quoted(key)): \(problem)"
        case .template(let file, let key, let problem):
            "\(quotedPath(file)): key \(quoted(key)): \(problem)"
        case .unknownNames(let names, let nearest, let unreadable):
            "no task, tag or group is named "
                + names.map(quoted).joined(separator: ", ")
                + (nearest.map { "; did you mean \(quoted($0))? --list-tasks lists them all" }
                    ?? "; list them all with --list-tasks")
                + (unreadable.isEmpty
                    ? ""
                    : " (task files that could not be read: "
                        + unreadable.prefix(3).joined(separator: "; ")
                        + (unreadable.count > 3 ? "; and \(unreadable.count - 3) more" : "") + ")")
        case .duplicate(let task, let first, let second):
            "task \(quoted(task)) is in both \(quoted(first)) and \(quoted(second)); name only one of them"
        case .groupCycle(let group): "group \(quoted(group)) is a member of itself"
        case .member(let group, let file, let found):
            "\(quotedPath(file)): member of group \(quoted(group)) is \(found), expected a name, "
                + "or a mapping with the key 'task' or 'group'"
        }
    }
}
