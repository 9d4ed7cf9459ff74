import FoundationEssentials
import Storage

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

    /// Reads a file and, before it, what it includes.
    ///
    /// - Throws: ``TaskError`` or `FileError`.
    static func read(_ path: String, source: Source) throws -> TaskFile {
        TaskFile(path: path, source: source, keys: try keys(of: path, source, above: []))
    }

    private static func keys(
        of path: String, _ source: Source, above: [String]
    ) throws -> JSONObject {
        let bytes: [UInt8]
        switch source {
        case .builtIn:
            guard let content = BuiltInTasks.file(named: path) else {
                throw TaskError.include(
                    file: above.last ?? path, included: path, problem: "there is no such file")
            }
            bytes = content
        case .disk: bytes = try ByteStream.contents(of: path, limit: 4 << 20)
        }
        let value = try YAMLText.parse(bytes, file: path)
        guard case .object(var own) = value else {
            throw TaskError.notMapping(file: path, found: value.kind)
        }
        own = own.markingFunctions(of: path)
        guard let include = own["include"] else { return own }
        own["include"] = nil
        var merged = JSONObject()
        for included in try names(include, file: path) {
            let target = included.hasPrefix("/") ? included : path.neighbour(included)
            guard !above.contains(target), target != path else {
                throw TaskError.includeCycle(file: path, included: included)
            }
            var keys: JSONObject
            do {
                keys = try self.keys(of: target, source, above: above + [path])
            } catch let error as FileError {
                throw TaskError.include(file: path, included: included, problem: "\(error)")
            }
            keys["task_list"] = nil
            for member in keys.members { merged[member.key] = member.value }
        }
        for member in own.members { merged[member.key] = member.value }
        return merged
    }

    private static func names(_ value: JSONValue, file: String) throws(TaskError) -> [String] {
        let items = value.arrayValue ?? [value]
        let names = items.compactMap(\.stringValue)
        guard names.count == items.count else {
            throw .kind(
                file: file, key: "include", found: value.kind,
                expected: "a file name or a list of them")
        }
        return names
    }

    /// The files ending in `.yaml` below a folder, in the order of their paths.
    static func paths(below folder: String) throws -> [String] {
        let manager = FileManager.default
        guard FilePath.isFolder(folder) else {
            throw FileError.system(file: folder, action: "list", code: 2)
        }
        let names = try manager.subpathsOfDirectory(atPath: folder)
        let ignored = ["__pycache__", ".ipynb_checkpoints"]
        return
            names
            .filter { name in
                name.hasSuffix(".yaml")
                    && !name.split(separator: "/").contains { ignored.contains(String($0)) }
            }
            .map { FilePath.join(folder, $0) }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
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
            if object.count == 1, object[YAMLText.functionKey] != nil {
                object["file"] = .string(path)
                return .object(object)
            }
            return .object(object.markingFunctions(of: path))
        default: return self
        }
    }
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
