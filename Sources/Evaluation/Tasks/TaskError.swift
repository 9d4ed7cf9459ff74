import Storage

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
        case .foreignPython(let file, let function, let python):
            "\(quotedPath(file)): function \(quoted(function)) stands in \(quotedPath(python)), which is not the harness's file, "
                + "and Python is not run; remove that file to use the built-in function"
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
