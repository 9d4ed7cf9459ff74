import Storage
import Yams

/// A YAML file whose keys are flags.
struct ConfigurationFile {
    /// One key, as arguments of a command.
    struct Flag {
        /// The key as it stands in the file.
        let key: String
        /// The option's name, without dashes.
        let name: String
        /// Counts from 1.
        let line: Int
        /// Empty for a flag that is off.
        let arguments: [String]
    }

    /// The keys that hold something, in the order of the file.
    let flags: [Flag]

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - words: The options that there are.
    /// - Throws: ``ConfigurationFileError`` or `FileError`.
    init(path: String, words: CommandWords?) throws {
        guard let node = try Self.node(of: path), node.null == nil else {
            flags = []
            return
        }
        guard let mapping = node.mapping else {
            throw ConfigurationFileError.notMapping(file: path)
        }
        flags = try mapping.compactMap { key, value in
            let place = (file: path, line: key.mark?.line ?? 1)
            guard let text = key.string else {
                throw ConfigurationFileError.notMapping(file: path)
            }
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
            guard value.null == nil else { return nil }
            let arguments: [String]
            if known.kind == .flag {
                guard let isOn = value.bool else { throw wrong("true or false") }
                arguments = isOn ? [option] : Self.negation(of: option, words)
            } else if let scalar = value.scalar {
                arguments = ["\(option)=\(scalar.string)"]
            } else if known.isRepeating, let items = value.sequence {
                arguments = try items.map { item in
                    guard let scalar = item.scalar else { throw wrong("a list of values") }
                    return "\(option)=\(scalar.string)"
                }
            } else {
                throw wrong(known.isRepeating ? "a value or a list of values" : "one value")
            }
            return Flag(
                key: text, name: String(option.dropFirst(2)), line: place.line,
                arguments: arguments)
        }
    }

    private static func node(of path: String) throws -> Node? {
        let text = try ByteStream.text(of: path, limit: 1 << 20)
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                throw ConfigurationFileError.notYAML(
                    file: path, line: mark.line, problem: problem)
            default:
                throw ConfigurationFileError.notYAML(file: path, line: 1, problem: "\(error)")
            }
        }
    }

    /// What switches a flag off: nothing, if it is off unless given.
    private static func negation(of option: String, _ words: CommandWords?) -> [String] {
        let opposite =
            option.hasPrefix("--no-")
            ? "--" + option.dropFirst(5) : "--no-" + option.dropFirst(2)
        return words?.option(opposite) == nil ? [] : [opposite]
    }

    private static func text(_ value: Node) -> String {
        if let scalar = value.scalar { return quoted(scalar.string) }
        return value.mapping == nil ? "a list" : "a mapping"
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
        }
    }
}
