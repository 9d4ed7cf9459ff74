import Storage
import Yams

/// What a user typed, made ready for the parser.
///
/// Long flags may be written in snake case (`--learning_rate`), as Hugging Face's tools do. A file
/// given with `--config` holds flags as keys; those on the command line win.
public enum CommandArguments {
    /// Rewrites arguments.
    ///
    /// - Parameter arguments: Without the program's name.
    /// - Returns: Arguments in kebab case, the file's flags in the place of `--config`.
    /// - Throws: ``ConfigurationFileError`` if the file cannot be used.
    public static func prepared(_ arguments: [String]) throws -> [String] {
        let arguments = arguments.map(kebabCased)
        guard
            let place = arguments.firstIndex(where: {
                $0 == "--config" || $0.hasPrefix("--config=")
            })
        else { return arguments }
        // `init` takes a model's configuration by the same name; only YAML files hold flags.
        let (path, width) =
            arguments[place] == "--config"
            ? (place + 1 < arguments.count ? arguments[place + 1] : "", 2)
            : (String(arguments[place].dropFirst("--config=".count)), 1)
        guard path.hasSuffix(".yaml") || path.hasSuffix(".yml") else { return arguments }
        var rest = arguments
        rest.removeSubrange(place..<place + width)
        let given = Set(rest.filter { $0.hasPrefix("--") }.map(flagName))
        let fromFile = try flags(ofFile: path).filter { !given.contains($0.name) }
        return Array(rest[..<place]) + fromFile.flatMap(\.arguments) + Array(rest[place...])
    }

    private static func kebabCased(_ argument: String) -> String {
        guard argument.hasPrefix("--") else { return argument }
        let end = argument.firstIndex(of: "=") ?? argument.endIndex
        return argument[..<end].map { $0 == "_" ? "-" : String($0) }.joined() + argument[end...]
    }

    /// The name of a flag without dashes, value and the `no-` of a negation.
    private static func flagName(_ argument: String) -> String {
        let name = argument.dropFirst(2).prefix { $0 != "=" }
        return String(name.hasPrefix("no-") ? name.dropFirst(3) : name)
    }

    private static func flags(ofFile path: String) throws -> [(name: String, arguments: [String])] {
        let text = try ByteStream.text(of: path, limit: 1 << 20)
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw ConfigurationFileError.notYAML(file: path, reason: "\(error)")
        }
        guard let node else { return [] }
        guard let mapping = node.mapping else {
            throw ConfigurationFileError.notMapping(file: path)
        }
        return try mapping.compactMap { key, value in
            let name = key.string.map { kebabCased("--" + $0).dropFirst(2) } ?? ""
            guard !name.isEmpty else { throw ConfigurationFileError.notMapping(file: path) }
            guard let arguments = arguments(named: String(name), value) else {
                throw ConfigurationFileError.notScalar(file: path, key: String(name))
            }
            return (flagName("--" + name), arguments)
        }
    }

    private static func arguments(named name: String, _ value: Node) -> [String]? {
        if value.null != nil { return [] }
        if let isOn = value.bool { return isOn ? ["--\(name)"] : negation(of: name) }
        if let scalar = value.scalar { return ["--\(name)=\(scalar.string)"] }
        guard let items = value.sequence, items.allSatisfy({ $0.scalar != nil }) else { return nil }
        return items.flatMap { ["--\(name)", $0.scalar?.string ?? ""] }
    }

    private static func negation(of name: String) -> [String] {
        name.hasPrefix("no-") ? [] : ["--no-\(name)"]
    }
}

/// What can be wrong with a file of flags.
public enum ConfigurationFileError: Error, Equatable {
    /// The text is not YAML.
    case notYAML(file: String, reason: String)
    /// The text is not a mapping of flags.
    case notMapping(file: String)
    /// A flag's value is neither one value nor a list of values.
    case notScalar(file: String, key: String)
}

extension ConfigurationFileError: CustomStringConvertible {
    /// One line that names the file.
    public var description: String {
        switch self {
        case .notYAML(let file, let reason):
            "\(file): not YAML: \(reason.split(separator: "\n").joined(separator: " "))"
        case .notMapping(let file): "\(file): expected a mapping of flags to values"
        case .notScalar(let file, let key):
            "\(file): key '\(key)' has no value or list of values"
        }
    }
}
