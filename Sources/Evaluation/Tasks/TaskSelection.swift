import Storage

/// The tasks of a run, and the groups they came by.
///
/// Source: lm-evaluation-harness 0.4.13, `TaskManager.load` and `TaskFactory`.
public struct TaskSelection: Sendable {
    /// The tasks in the order in which they run.
    public private(set) var tasks: [TaskConfiguration] = []
    /// The groups, parents before children.
    public private(set) var groups: [TaskGroup] = []
    /// What the user should know of files that were named by path.
    public private(set) var warnings: [String] = []

    /// Finds tasks by name.
    ///
    /// - Parameters:
    ///   - names: Tasks, groups, tags, patterns with `*` and `?`, and files ending in `.yaml`.
    ///   - index: What names stand for.
    ///   - settings: What the user allows and wants otherwise.
    /// - Throws: ``TaskError`` or `FileError`.
    public init(
        _ names: [String], from index: TaskIndex, _ settings: TaskSettings = TaskSettings()
    ) throws {
        var builder = Builder(index: index, settings: settings)
        var sources: [String: String] = [:]
        var groupNames: Set<String> = []
        for name in try builder.expand(names) {
            let found = try builder.build(name)
            for task in found.tasks {
                let source = found.isGroup ? name : task.name
                if let first = sources[task.name], first != source {
                    throw TaskError.duplicate(task: task.name, first: first, second: source)
                }
                if sources.updateValue(source, forKey: task.name) == nil { tasks.append(task) }
            }
            for group in found.groups where groupNames.insert(group.name).inserted {
                groups.append(group)
            }
        }
        warnings = builder.warnings
    }

    private struct Found {
        var tasks: [TaskConfiguration] = []
        /// The group itself and the groups below.
        var groups: [TaskGroup] = []
        var isGroup: Bool { !groups.isEmpty }
    }

    private struct Builder {
        /// Members of groups within groups multiply; a run takes no more than this many.
        private static let memberLimit = 20_000

        private(set) var index: TaskIndex
        let settings: TaskSettings
        private(set) var warnings: [String] = []
        private var members = 0
        /// Folders of groups that were named by path, whose files are in the index, too.
        private var neighbourhoods: Set<String> = []

        init(index: TaskIndex, settings: TaskSettings) {
            self.index = index
            self.settings = settings
        }

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
                throw index.unknown(unknown)
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
                    pattern = last.pattern
                    name = last.name.dropFirst()
                    retry = (pattern, name)
                } else {
                    return false
                }
            }
        }

        mutating func build(_ name: String) throws -> Found {
            if let entry = index.entries[name] {
                return try build(entry, overrides: [:], above: [])
            }
            let folder = FilePath.folder(of: name)
            let reader = TaskFileReader(.disk, folders: [folder] + index.folders)
            let file = try reader.read(name)
            warnings += reader.warnings
            if file.keys["group"] != nil {
                // Members stand in files beside the group's, unless the index knows them.
                if neighbourhoods.insert(folder).inserted {
                    let beside = try TaskIndex(of: folder, below: index)
                    warnings += beside.warnings
                    index = beside
                }
                let keys = TaskKeys(file)
                return try group(try keys.string("group"), file, overrides: [:], above: [])
            }
            guard file.keys["task"] != nil else { throw TaskError.neither(file: name) }
            return Found(tasks: [try TaskConfiguration(file, settings)])
        }

        private mutating func build(
            _ entry: TaskIndex.Entry, overrides: JSONObject, above: [String]
        ) throws -> Found {
            try count(entry.path)
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
            return Found(tasks: [try TaskConfiguration(own, settings)])
        }

        /// Builds a group: keys that are not of groups are overrides for all members.
        private mutating func group(
            _ name: String, _ file: TaskFile, overrides: JSONObject, above: [String]
        ) throws -> Found {
            if let key = file.unknownKey { throw key.error }
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
            var names: Set<String> = []
            for member in try members(of: file) {
                let part = try self.member(
                    member, of: name, file, shared: shared, above: above + [name])
                found.tasks += part.tasks
                found.groups += part.groups
                group.members += (part.groups.first.map { [$0.name] } ?? part.tasks.map(\.name))
                    .filter { names.insert($0).inserted }
            }
            group.tasks = found.tasks.map(\.name)
            found.groups.insert(group, at: 0)
            return found
        }

        /// The members that a group's file names, equal ones once.
        private func members(of file: TaskFile) throws -> [JSONValue] {
            guard let list = TaskKeys(file)["task"] else {
                throw TaskError.missingKey(file: file.path, key: "task")
            }
            let members = list.arrayValue ?? [list]
            guard !members.isEmpty else {
                throw TaskError.kind(
                    file: file.path, key: "task", found: "an empty list",
                    expected: "the members of the group")
            }
            let writer = JSONWriter()
            var seen: Set<String> = []
            return members.filter { seen.insert(writer.string($0)).inserted }
        }

        private mutating func count(_ path: String) throws(TaskError) {
            members += 1
            guard members <= Builder.memberLimit else {
                throw .limit(
                    file: path, what: "tasks and members of groups", limit: Builder.memberLimit)
            }
        }

        private mutating func member(
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
                    throw index.unknown([name])
                }
                // A task that stands in the group's file alone.
                overrides["task"] = .string("\(group)::\(name)")
                let part = TaskFile(path: file.path, source: file.source, keys: overrides)
                return Found(tasks: [try TaskConfiguration(part, settings)])
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

/// A group of tasks, perhaps with figures of its own.
public struct TaskGroup: Sendable {
    /// A figure of a group: a mean over its tasks.
    public struct Metric: Sendable {
        /// The metric of the tasks, by the harness's name.
        public var name: String
        /// The filters of the tasks, nil for all there are.
        public var filters: [String]?
        /// Whether large tasks weigh more.
        public var isWeighted: Bool
    }

    /// The name.
    public let name: String
    /// The name in tables.
    public let alias: String
    /// Its figures; none if the group is only a list.
    public let metrics: [Metric]
    /// The version as text, "N/A" if there is none.
    public let version: String
    /// The names of direct members, in order.
    public internal(set) var members: [String]
    /// The names of all tasks below, in order.
    public internal(set) var tasks: [String]

    init(_ keys: TaskKeys, name: String) throws(TaskError) {
        self.name = name
        alias = try keys.string(ifPresent: "group_alias") ?? name
        let version = try keys.object(ifPresent: "metadata")?["version"]
        self.version = ((try? version?.pythonText()) ?? nil) ?? "N/A"
        var metrics: [Metric] = []
        for item in try keys.objects(ifPresent: "aggregate_metric_list") ?? [] {
            let aggregation = try item.string(ifPresent: "aggregation") ?? "mean"
            guard aggregation == "mean" else {
                throw .choice(
                    file: keys.file, key: "aggregate_metric_list.aggregation", found: aggregation,
                    expected: ["mean"])
            }
            metrics.append(
                Metric(
                    name: try item.string("metric"),
                    filters: item["filter_list"] == nil ? nil : try item.strings("filter_list"),
                    isWeighted: try item.bool(ifPresent: "weight_by_size") ?? true))
        }
        self.metrics = metrics
        members = []
        tasks = []
    }
}
