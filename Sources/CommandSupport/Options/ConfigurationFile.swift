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
    /// The keys of other programs that are left out since they change nothing here.
    let leftOut: [String]

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
            leftOut = []
            return
        }
        guard let members = node.members else {
            throw ConfigurationFileError.notMapping(file: path)
        }
        let foreign = words.flatMap { ForeignNames(commandName: $0.name) }
        var (flags, leftOut) = ([Flag](), [String]())
        var problems: [ConfigurationFileError] = []
        for entry in Self.entries(members, foreign) where !entry.value.value.isNull {
            do throws(ConfigurationFileError) {
                if entry.key == "model_args", let foreign, let text = entry.value.text {
                    let parts = try Self.modelArguments(text, entry.line, foreign, file: path)
                    flags += parts.words.map { word in
                        Flag(
                            key: entry.key, name: String(CommandArguments.name(word).dropFirst(2)),
                            line: entry.line, arguments: [word])
                    }
                    leftOut += parts.leftOut
                } else if let meaning = foreign?.meaning(of: entry.key) {
                    let flag = try Self.foreign(entry, meaning, words, file: path)
                    if let flag { flags.append(flag) } else { leftOut.append(entry.key) }
                } else {
                    flags.append(try Self.own(entry, words, file: path))
                }
            } catch {
                problems.append(error)
            }
        }
        guard problems.count < 2 else { throw ConfigurationFileError.several(problems) }
        if let problem = problems.first { throw problem }
        // The harness names what kind of model it is beside the model itself.
        let hasModel = flags.contains { $0.name == "model" && $0.key != "model" }
        self.flags = flags.filter {
            !(hasModel && $0.key == "model"
                && $0.arguments.contains {
                    ForeignNames.modelTypes.contains(String($0.dropFirst(8)))
                })
        }
        self.leftOut = leftOut
    }

    /// A key with its value; one of a mapping that other programs have, with its path.
    private typealias Entry = (key: String, line: Int, value: YAMLNode)

    private static func entries(
        _ members: [YAMLNode.Member], _ foreign: ForeignNames?, below path: String = ""
    ) -> [Entry] {
        members.flatMap { member -> [Entry] in
            let key = path + member.key
            let parts =
                member.value.members.map { [$0] } ?? member.value.elements?.map { $0.members }
            guard foreign?.hasKeys(below: key) == true, let parts, !parts.isEmpty else {
                return [(key, member.line, member.value)]
            }
            let mappings = parts.compactMap(\.self)
            guard mappings.count == parts.count else { return [(key, member.line, member.value)] }
            return mappings.flatMap { entries($0, foreign, below: key + ".") }
        }
    }

    /// A key that is a flag of ours.
    private static func own(
        _ entry: Entry, _ words: CommandWords?, file: String
    ) throws(ConfigurationFileError) -> Flag {
        let value = entry.value
        let option = CommandArguments.kebabCased("--" + entry.key)
        guard let known = words?.option(option) else {
            throw .unknown(
                file: file, line: entry.line, key: entry.key,
                nearest: Spelling.nearest(
                    to: String(option.dropFirst(2)),
                    among: (words?.names ?? []).map { String($0.drop { $0 == "-" }) }
                ).map { $0.replacing("-", with: "_") })
        }
        func wrong(_ expected: String) -> ConfigurationFileError {
            .value(
                file: file, line: entry.line, key: entry.key, found: text(value),
                expected: expected)
        }
        let arguments: [String]
        if known.kind == .flag {
            guard let isOn = value.value.boolValue else { throw wrong("true or false") }
            arguments = isOn ? [option] : negation(of: option, words)
        } else if let scalar = value.text {
            arguments = ["\(option)=\(scalar)"]
        } else if known.isRepeating, let items = value.elements {
            let scalars = items.compactMap(\.text)
            guard scalars.count == items.count else { throw wrong("a list of values") }
            arguments = scalars.map { "\(option)=\($0)" }
        } else {
            throw wrong(known.isRepeating ? "a value or a list of values" : "one value")
        }
        return Flag(
            key: entry.key, name: String(option.dropFirst(2)), line: entry.line,
            arguments: arguments)
    }

    /// The harness's model arguments as one text.
    private static func modelArguments(
        _ text: String, _ line: Int, _ foreign: ForeignNames, file: String
    ) throws(ConfigurationFileError) -> (words: [String], leftOut: [String]) {
        do {
            return try foreign.modelArguments(text)
        } catch {
            throw .foreign(file: file, line: line, sentence: error.inFile)
        }
    }

    /// A key of another program; nil if it is left out.
    private static func foreign(
        _ entry: Entry, _ meaning: ForeignName.Meaning, _ words: CommandWords?, file: String
    ) throws(ConfigurationFileError) -> Flag? {
        let items = entry.value.elements ?? [entry.value]
        let values = items.compactMap(\.text)
        if case .same(let option, _) = meaning {
            let isRepeating = words?.option(option)?.isRepeating == true
            guard values.count == items.count, values.count == 1 || isRepeating else {
                throw .value(
                    file: file, line: entry.line, key: entry.key, found: text(entry.value),
                    expected: isRepeating ? "a value or a list of values" : "one value")
            }
        }
        let reading: ForeignNames.Reading
        do {
            reading = try ForeignNames.read(
                meaning, values, written: "key \(quoted(entry.key))")
        } catch {
            throw .foreign(file: file, line: entry.line, sentence: error.inFile)
        }
        guard !reading.isLeftOut else { return nil }
        let name = reading.words.first.map { String(CommandArguments.name($0).dropFirst(2)) }
        return Flag(
            key: entry.key, name: name ?? entry.key, line: entry.line, arguments: reading.words)
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
public indirect enum ConfigurationFileError: Error, Equatable {
    /// The text is not YAML.
    case notYAML(file: String, line: Int, problem: String)
    /// The text is not a mapping of flags.
    case notMapping(file: String)
    /// A key is no flag of the command.
    case unknown(file: String, line: Int, key: String, nearest: String?)
    /// A key holds what its flag cannot be.
    case value(file: String, line: Int, key: String, found: String, expected: String)
    /// A key of another program means something else here.
    case foreign(file: String, line: Int, sentence: String)
    /// More than one key is wrong.
    case several([ConfigurationFileError])
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
        case .foreign(let file, let line, let sentence):
            "\(quotedPath(file)):\(line): \(sentence)"
        case .several(let problems):
            problems.map { "\($0)" }.joined(separator: "\nError: ")
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
    ///
    /// Empty texts, which options do not take, are left out.
    public static func yaml(_ settings: JSONObject) -> String {
        let writer = JSONWriter(escapesNonASCII: false)
        let given = settings.members.filter { $0.value != .string("") }
        let lines = given.map { "\($0.key): \(writer.string($0.value))" }
        return (["# mambatreel \(CommandLineProgram.version)"] + lines).joined(separator: "\n")
            + "\n"
    }
}
