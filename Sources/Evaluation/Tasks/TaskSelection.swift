import Storage

/// The tasks of a run, and the groups they came by.
///
/// Source: lm-evaluation-harness 0.4.13, `TaskManager.load` and `TaskFactory`.
public struct TaskSelection: Sendable {
    /// The tasks in the order in which they run.
    public private(set) var tasks: [TaskConfiguration] = []
    /// The groups, parents before children.
    public private(set) var groups: [TaskGroup] = []

    /// Finds tasks by name.
    ///
    /// - Parameters:
    ///   - names: Tasks, groups, tags, patterns with `*` and `?`, and files ending in `.yaml`.
    ///   - index: What names stand for.
    /// - Throws: ``TaskError`` or `FileError`.
    public init(_ names: [String], from index: TaskIndex) throws {
        let builder = Builder(index: index)
        var sources: [String: String] = [:]
        for name in try builder.expand(names) {
            let found = try builder.build(name)
            for task in found.tasks {
                let source = found.isGroup ? name : task.name
                if let first = sources[task.name], first != source {
                    throw TaskError.duplicate(task: task.name, first: first, second: source)
                }
                sources[task.name] = source
                if !tasks.contains(where: { $0.name == task.name }) { tasks.append(task) }
            }
            for group in found.groups where !groups.contains(where: { $0.name == group.name }) {
                groups.append(group)
            }
        }
    }

    private struct Found {
        var tasks: [TaskConfiguration] = []
        /// The group itself and the groups below.
        var groups: [TaskGroup] = []
        var isGroup: Bool { !groups.isEmpty }
    }

    private struct Builder {
        let index: TaskIndex

        /// Replaces patterns by the names that match, sorted.
        func expand(_ names: [String]) throws -> [String] {
            var (result, unknown): ([String], [String]) = ([], [])
            for name in names {
                if index.entries[name] != nil || name.hasSuffix(".yaml") {
                    result.append(name)
                    continue
                }
                let pattern = Array(name.unicodeScalars)
                let matches = index.entries.keys
                    .filter { fits(pattern[...], Array($0.unicodeScalars)[...]) }
                    .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                if matches.isEmpty { unknown.append(name) }
                result += matches
            }
            guard unknown.isEmpty else {
                throw TaskError.unknownNames(unknown, unreadable: index.unreadable)
            }
            return result
        }

        /// Whether a name fits a pattern of `*`, `?` and literal characters.
        private func fits(
            _ pattern: ArraySlice<Unicode.Scalar>, _ name: ArraySlice<Unicode.Scalar>
        ) -> Bool {
            var (pattern, name) = (pattern, name)
            var retry: (pattern: ArraySlice<Unicode.Scalar>, name: ArraySlice<Unicode.Scalar>)?
            while true {
                if pattern.first == "*" {
                    pattern.removeFirst()
                    retry = (pattern, name)
                } else if let next = pattern.first, let found = name.first,
                    next == "?" || next == found
                {
                    pattern.removeFirst()
                    name.removeFirst()
                } else if pattern.isEmpty && name.isEmpty {
                    return true
                } else if let last = retry, !last.name.isEmpty {
                    (pattern, name) = (last.pattern, last.name.dropFirst())
                    retry = (pattern, name)
                } else {
                    return false
                }
            }
        }

        func build(_ name: String) throws -> Found {
            if let entry = index.entries[name] {
                return try build(entry, overrides: [:], above: [])
            }
            let file = try TaskFile.read(name, source: .disk)
            if file.keys["group"] != nil {
                let keys = TaskKeys(file)
                return try group(try keys.string("group"), file, overrides: [:], above: [])
            }
            guard file.keys["task"] != nil else { throw TaskError.neither(file: name) }
            return Found(tasks: [try TaskConfiguration(file)])
        }

        private func build(
            _ entry: TaskIndex.Entry, overrides: JSONObject, above: [String]
        ) throws -> Found {
            guard let file = entry.file else {
                var found = Found()
                for member in entry.members {
                    guard let task = index.entries[member] else { continue }
                    found.tasks += try build(task, overrides: overrides, above: above).tasks
                }
                return found
            }
            if entry.kind == .group {
                return try group(entry.name, file, overrides: overrides, above: above)
            }
            var own = file
            own.keys = own.keys.overridden(by: overrides)
            return Found(tasks: [try TaskConfiguration(own)])
        }

        /// Builds a group: keys that are not of groups are overrides for all members.
        private func group(
            _ name: String, _ file: TaskFile, overrides: JSONObject, above: [String]
        ) throws -> Found {
            guard !above.contains(name), above.count < 50 else { throw TaskError.groupCycle(name) }
            let structural = [
                "group", "group_alias", "task", "aggregate_metric_list", "metadata", "tag",
            ]
            let shared = JSONObject(
                file.keys.members.filter { !structural.contains($0.key) }
                    .map { ($0.key, $0.value) }
            ).overridden(by: overrides)
            var group = try TaskGroup(TaskKeys(file), name: name)
            var found = Found()
            let list = file.keys["task"] ?? .array([])
            for member in list.arrayValue ?? [list] {
                let part = try self.member(
                    member, of: name, file, shared: shared, above: above + [name])
                found.tasks += part.tasks
                found.groups += part.groups
                let names = part.groups.first.map { [$0.name] } ?? part.tasks.map(\.name)
                group.members += names.filter { !group.members.contains($0) }
            }
            group.tasks = found.tasks.map(\.name)
            found.groups.insert(group, at: 0)
            return found
        }

        private func member(
            _ member: JSONValue, of group: String, _ file: TaskFile, shared: JSONObject,
            above: [String]
        ) throws -> Found {
            var overrides = shared
            let name: String
            switch member {
            case .string(let text): name = text
            case .object(let object):
                if let inner = object["group"]?.stringValue {
                    guard let entry = index.entries[inner] else {
                        let part = TaskFile(path: file.path, source: file.source, keys: object)
                        return try self.group(
                            "\(group)::\(inner)", part, overrides: shared, above: above)
                    }
                    var keys = object
                    keys["group"] = nil
                    return try build(entry, overrides: shared.overridden(by: keys), above: above)
                }
                guard let text = object["task"]?.stringValue else { fallthrough }
                name = text
                overrides = shared.overridden(by: object)
            default:
                throw TaskError.member(group: group, file: file.path, found: member.kind)
            }
            guard let entry = index.entries[name] else {
                guard member.objectValue != nil else {
                    throw TaskError.unknownNames([name], unreadable: index.unreadable)
                }
                // A task that stands in the group's file alone.
                overrides["task"] = .string("\(group)::\(name)")
                let part = TaskFile(path: file.path, source: file.source, keys: overrides)
                return Found(tasks: [try TaskConfiguration(part)])
            }
            overrides["task"] = nil
            return try build(entry, overrides: overrides, above: above)
        }
    }
}

extension JSONObject {
    fileprivate func overridden(by other: JSONObject) -> JSONObject {
        var result = self
        for member in other.members { result[member.key] = member.value }
        return result
    }
}
