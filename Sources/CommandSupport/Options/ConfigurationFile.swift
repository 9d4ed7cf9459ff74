import ArgumentParser
import Storage
import YAML

/// A YAML file whose keys are flags.
package struct ConfigurationFile {
    /// One key, as arguments of a command.
    package struct Flag {
        /// The key as it stands in the file.
        let key: String
        /// The option's name, without dashes.
        package let name: String
        /// Counts from 1.
        let line: Int
        /// Empty for a flag that is off.
        package let arguments: [String]
    }

    /// The name that messages begin with.
    let file: String
    /// The keys that hold something, in the order of the file.
    package let flags: [Flag]

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - words: The options that there are.
    /// - Throws: ``ConfigurationFileError`` or `FileError`.
    init(path: String, words: CommandWords?) throws {
        try self.init(Self.node(of: path), file: path, words: words)
    }

    /// Takes a part of a file up, whose keys are the flags of a subcommand.
    ///
    /// - Parameters:
    ///   - node: A mapping, or nothing.
    ///   - path: The file.
    ///   - program: The program's root command.
    ///   - subcommand: The subcommand.
    /// - Throws: ``ConfigurationFileError``.
    package init(
        _ node: YAMLNode?, file path: String, of program: (some ParsableCommand).Type,
        subcommand: String
    ) throws {
        try self.init(
            node, file: path, words: CommandWords(program, arguments: [subcommand]))
    }

    /// Takes the content of a file up.
    init(_ node: YAMLNode?, file path: String, words: CommandWords?) throws {
        file = path
        guard let node, !node.value.isNull else {
            flags = []
            return
        }
        guard let members = node.members else {
            throw ConfigurationFileError.notMapping(file: path)
        }
        flags = try members.compactMap { member in
            let place = (file: path, line: member.line)
            let (text, value) = (member.key, member.value)
            let option = CommandArguments.kebabCased("--" + text)
            guard let known = words?.option(option) else {
                throw ConfigurationFileError.unknown(
                    file: place.file, line: place.line, key: text,
                    nearest: Spelling.nearest(
                        to: String(option.dropFirst(2)),
                        among: (words?.names ?? []).map { String($0.drop { $0 == "-" }) }
                    ).map { $0.replacing("-", with: "_") })
            }
            func wrong(_ expected: String) -> ConfigurationFileError {
                .value(
                    file: place.file, line: place.line, key: text, found: Self.text(value),
                    expected: expected)
            }
            guard !value.value.isNull else { return nil }
            let arguments: [String]
            if known.kind == .flag {
                guard let isOn = value.value.boolValue else { throw wrong("true or false") }
                arguments = isOn ? [option] : Self.negation(of: option, words)
            } else if let scalar = value.text {
                arguments = ["\(option)=\(scalar)"]
            } else if known.isRepeating, let items = value.elements {
                arguments = try items.map { item in
                    guard let scalar = item.text else { throw wrong("a list of values") }
                    return "\(option)=\(scalar)"
                }
            } else {
                throw wrong(known.isRepeating ? "a value or a list of values" : "one value")
            }
            return Flag(
                key: text, name: String(option.dropFirst(2)), line: place.line,
                arguments: arguments)
        }
    }

    private static func node(of path: String) throws -> YAMLNode? {
        do {
            return try YAMLReader.read(path)
        } catch let error as YAMLError {
            throw ConfigurationFileError.notYAML(
                file: path, line: error.line, problem: error.problem)
        }
    }

    /// What switches a flag off: nothing, if it is off unless given.
    private static func negation(of option: String, _ words: CommandWords?) -> [String] {
        let opposite =
            option.hasPrefix("--no-")
            ? "--" + option.dropFirst(5) : "--no-" + option.dropFirst(2)
        return words?.option(opposite) == nil ? [] : [opposite]
    }

    private static func text(_ value: YAMLNode) -> String {
        if let scalar = value.text { return quoted(scalar) }
        return value.members == nil ? "a list" : "a mapping"
    }
}

/// What can be wrong with a file of flags.
public enum ConfigurationFileError: Error, Equatable {
    /// The text is not YAML.
    case notYAML(file: String, line: Int, problem: String)
    /// The text is not a mapping of flags.
    case notMapping(file: String)
    /// A key is no flag of the command.
    case unknown(file: String, line: Int, key: String, nearest: String?)
    /// A key holds what its flag cannot be.
    case value(file: String, line: Int, key: String, found: String, expected: String)
    /// A recipe is none of those there are.
    case unknownRecipe(name: String, known: [String])
}

extension ConfigurationFileError: CustomStringConvertible {
    /// One line that names file, line and key.
    public var description: String {
        switch self {
        case .notYAML(let file, let line, let problem):
            "\(quotedPath(file)):\(line): not YAML: \(oneLine(problem))"
        case .notMapping(let file):
            "\(quotedPath(file)): holds no keys, expected flags, one 'key: value' a line"
        case .unknown(let file, let line, let key, let nearest):
            "\(quotedPath(file)):\(line): key \(quoted(key)) is no flag of this command"
                + (nearest.map { "; did you mean \(quoted($0))?" } ?? "")
        case .value(let file, let line, let key, let found, let expected):
            "\(quotedPath(file)):\(line): key \(quoted(key)) is \(found), expected \(expected)"
        case .unknownRecipe(let name, let known):
            "--recipe is \(quoted(name)), expected one of \(known.joined(separator: ", "))"
                + (Spelling.nearest(to: name, among: known).map {
                    "; did you mean \(quoted($0))?"
                } ?? "; a file of your own is given with --config")
        }
    }
}

/// Flags kept in a file; shared by all commands, and read before they are parsed.
public struct ConfigurationOption: ParsableArguments {
    /// What is left of it when no file of flags was named.
    @Option(help: "A YAML file whose keys are these flags; those given here win.")
    var config: String?

    /// Creates the option, not given.
    public init() {}

    /// Refuses what is no file of flags.
    public func validate() throws {
        if let config {
            throw ValidationError("--config is \(quoted(config)), expected a .yaml or .yml file")
        }
    }
}

/// A run's settings as the YAML file that repeats it.
public enum ConfigurationText {
    /// One key per line; values as in JSON, which YAML contains.
    public static func yaml(_ settings: JSONObject) -> String {
        let writer = JSONWriter(escapesNonASCII: false)
        let lines = settings.members.map { "\($0.key): \(writer.string($0.value))" }
        return (["# mambatreel \(CommandLineProgram.version)"] + lines).joined(separator: "\n")
            + "\n"
    }
}
