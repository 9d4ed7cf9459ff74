import Storage

/// What other programs call a setting, and what becomes of it here; all of them are in ``ForeignName/all``.
///
/// Where the meaning is the same, the name is read as ours. Where it is another one, the error names ours and
/// tells how the value translates, since a run that means something else is worse than none.
package struct ForeignName: Sendable {
    /// A command whose settings other programs have, too.
    package enum Command: String, CaseIterable, Sendable {
        case train = "mtl-finetune train"
        case merge = "mtl-finetune merge"
        case evaluate = "mtl-eval run"
        case chat = "mtl-chat"
    }

    /// What becomes of it.
    package enum Meaning: Sendable {
        /// It is an option of ours, the values but for those in the list, too.
        case same(String, values: [String: String] = [:])
        /// It is a flag of ours; `false` leaves it away.
        case flag(String)
        /// These values say what is done anyway; for others the sentence says what to write.
        case only([String], otherwise: String)
        /// It has no effect on results and is left out, which a line tells.
        case unneeded(takesValue: Bool = true)
        /// It means something else: how it differs, and what to write.
        case instead(String, write: String)
    }

    /// Its spellings, in snake case without dashes; short ones with their dash, keys of a mapping with a dot.
    package let names: [String]
    /// Whose it is.
    package let tools: String
    /// Which commands know it.
    package let commands: [Command]
    /// What becomes of it.
    package let meaning: Meaning

    init(_ names: String, _ tools: String, _ meaning: Meaning, _ commands: [Command] = [.train]) {
        self.names = names.split(separator: " ").map(String.init)
        self.tools = tools
        self.meaning = meaning
        self.commands = commands
    }
}

/// The foreign names that one command knows.
struct ForeignNames {
    let command: ForeignName.Command
    private let byName: [String: ForeignName.Meaning]

    /// Finds a command's names; fails if the command has none.
    ///
    /// - Parameters:
    ///   - program: The program's name.
    ///   - first: The first word that was typed: a subcommand, or something else.
    init?(program: String, first: String?) {
        let named = ForeignName.Command(rawValue: first.map { "\(program) \($0)" } ?? "")
        let isDefault = first?.hasPrefix("-") ?? true
        let fallback: ForeignName.Command? =
            switch program {
            case "mtl-finetune": isDefault ? .train : nil
            case "mtl-eval": isDefault ? .evaluate : nil
            case "mtl-chat": .chat
            default: nil
            }
        guard let command = named ?? fallback else { return nil }
        self.init(command)
    }

    /// Those of a command by its name, as messages say it.
    init?(commandName: String) {
        guard let command = ForeignName.Command(rawValue: commandName) else { return nil }
        self.init(command)
    }

    private init(_ command: ForeignName.Command) {
        self.command = command
        let lines = ForeignName.all.filter { $0.commands.contains(command) }
        byName = Dictionary(
            lines.flatMap { line in line.names.map { ($0, line.meaning) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// What becomes of a name as it was typed, or as it stands in a file.
    func meaning(of name: String) -> ForeignName.Meaning? {
        byName[Self.plain(name)]
    }

    /// Whether keys of a mapping of this name are known.
    func hasKeys(below name: String) -> Bool {
        let start = Self.plain(name) + "."
        return byName.keys.contains { $0.hasPrefix(start) }
    }

    /// A name as the table has it.
    private static func plain(_ name: String) -> String {
        guard name.hasPrefix("--") || !name.hasPrefix("-") else { return name }
        return String(name.drop { $0 == "-" }).replacing("-", with: "_")
    }

    /// What stands in place of a setting, as words for the parser.
    struct Reading: Equatable {
        var words: [String] = []
        /// Whether it is left out without being what is done anyway.
        var isLeftOut = false
    }

    /// Reads a setting.
    ///
    /// - Parameters:
    ///   - meaning: What becomes of its name.
    ///   - values: Its values; of a switch that has none, none.
    ///   - written: How messages call it.
    /// - Returns: The words.
    /// - Throws: ``ForeignNameError``.
    static func read(
        _ meaning: ForeignName.Meaning, _ values: [String], written: String
    ) throws(ForeignNameError) -> Reading {
        switch meaning {
        case .same(let option, let table):
            guard !values.isEmpty else { return Reading(words: [option]) }
            return Reading(words: values.map { "\(option)=\(table[$0] ?? $0)" })
        case .flag(let flag):
            let value = values.first?.lowercased() ?? "true"
            guard let isOn = truth(of: value) else {
                throw ForeignNameError.value(
                    written, found: values[0], expected: ["true", "false"],
                    otherwise: "it is \(flag) here")
            }
            return Reading(words: isOn ? [flag] : [])
        case .only(let accepted, let sentence):
            let found = values.isEmpty ? ["true"] : values
            for value in found {
                let plain = value.lowercased()
                let isTold = accepted.contains(plain)
                guard isTold || truth(of: plain).map({ accepted.contains("\($0)") }) == true else {
                    throw ForeignNameError.value(
                        written, found: value, expected: accepted, otherwise: sentence)
                }
            }
            return Reading()
        case .unneeded: return Reading(isLeftOut: true)
        case .instead(let difference, let remedy):
            throw ForeignNameError.differs(written, how: difference, write: remedy)
        }
    }

    /// What Python's tools take for true and false.
    static func truth(of text: String) -> Bool? {
        switch text {
        case "true", "yes", "1", "on": true
        case "false", "no", "0", "off": false
        default: nil
        }
    }
}

/// A setting of another program that means something else here.
package enum ForeignNameError: Error, Equatable {
    /// It differs from ours.
    case differs(String, how: String, write: String)
    /// Of its values not all say what is done here.
    case value(String, found: String, expected: [String], otherwise: String)
}

extension ForeignNameError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .differs(let written, let how, let write): "\(written) \(how); write \(write)"
        case .value(let written, let found, let expected, let otherwise):
            "\(written) is \(quoted(found)), expected \(expected.joined(separator: " or ")); "
                + otherwise
        }
    }

    /// The same for a file, where options are keys.
    var inFile: String { description.replacing(/--[a-z][a-z0-9-]*/) { Self.key($0.output) } }

    private static func key(_ option: Substring) -> String {
        String(option.dropFirst(2)).replacing("-", with: "_")
    }
}

extension ForeignNames {
    /// A command line with foreign names read as ours.
    struct Line {
        var words: [String] = []
        /// The spellings of options that were read as ours, by ours.
        var spellings: [String: String] = [:]
        /// Names that are left out.
        var leftOut: [String] = []
    }

    /// Reads a command line, whose long options are in kebab case.
    ///
    /// - Parameters:
    ///   - words: The words.
    ///   - typed: The same as they were typed.
    /// - Returns: The line in our names.
    /// - Throws: ``ForeignNameError``.
    func read(_ words: [String], typed: [String]) throws -> Line {
        var line = Line()
        var place = 0
        var namesModel = false
        while place < words.count {
            let word = words[place]
            let (name, written) = (CommandArguments.name(word), CommandArguments.name(typed[place]))
            place += 1
            guard word != "--" else {
                line.words += words[(place - 1)...]
                break
            }
            guard word.hasPrefix("-"), word.count > 1, let meaning = meaning(of: name) else {
                line.words.append(word)
                continue
            }
            var values = word == name ? [] : [String(word.dropFirst(name.count + 1))]
            let next = place < words.count ? words[place] : nil
            if values.isEmpty, let next, Self.takes(next, meaning) {
                values = [next]
                place += 1
            }
            if command == .evaluate, name == "--model-args" {
                let parts = try modelArguments(values.first ?? "")
                line.words += parts.words
                line.leftOut += parts.leftOut
                namesModel = true
                continue
            }
            let reading = try Self.read(meaning, values, written: written)
            if reading.isLeftOut { line.leftOut.append(written) }
            for ours in reading.words { line.spellings[CommandArguments.name(ours)] = written }
            if case .same(let option, let table) = meaning, let value = values.first,
                word == name, !value.hasPrefix("-")
            {
                // As it was typed, since more values may follow.
                line.words += [option, table[value] ?? value]
            } else {
                line.words += reading.words
            }
        }
        if namesModel { Self.dropModelTypes(from: &line.words) }
        if command == .evaluate { Self.replaceList(in: &line.words) }
        return line
    }

    /// Whether the word after an option is its value.
    private static func takes(_ next: String, _ meaning: ForeignName.Meaning) -> Bool {
        let isValue = !next.hasPrefix("-") || Double(next) != nil
        switch meaning {
        case .same, .instead, .unneeded(takesValue: true): return isValue
        case .flag, .unneeded(takesValue: false): return truth(of: next.lowercased()) != nil
        case .only(let accepted, _):
            // A switch takes no word that is something else, such as a prompt.
            let isSwitch = accepted.allSatisfy { truth(of: $0) != nil }
            return isSwitch ? truth(of: next.lowercased()) != nil : isValue
        }
    }

    /// The harness's `--model_args pretrained=…,peft=…`.
    func modelArguments(
        _ text: String
    ) throws(ForeignNameError) -> (words: [String], leftOut: [String]) {
        var (words, leftOut) = ([String](), [String]())
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            let written = "\(pair[0]) of --model_args"
            guard pair.count == 2, let meaning = meaning(of: "model_args." + pair[0]) else {
                throw ForeignNameError.differs(
                    written, how: "is not known here",
                    write: "--model, --adapter and --dtype, or leave it out")
            }
            let reading = try Self.read(meaning, [pair[1]], written: written)
            words += reading.words
            if reading.isLeftOut { leftOut.append(pair[0]) }
        }
        return (words, leftOut)
    }

    /// The harness lists its tasks by `--tasks list`.
    private static func replaceList(in words: inout [String]) {
        if let place = words.firstIndex(of: "--tasks=list") {
            words[place] = "--list-tasks"
        } else if let place = words.indices.dropLast().first(where: {
            words[$0] == "--tasks" && words[$0 + 1] == "list"
        }) {
            words.replaceSubrange(place...(place + 1), with: ["--list-tasks"])
        }
    }

    /// What `--model` names where the model itself is one of the arguments.
    static let modelTypes: Set = ["hf", "hf-auto", "huggingface", "mamba_ssm"]

    private static func dropModelTypes(from words: inout [String]) {
        var place = 0
        while place < words.count {
            if words[place] == "--model", place + 1 < words.count,
                modelTypes.contains(words[place + 1])
            {
                words.removeSubrange(place...(place + 1))
            } else if words[place].hasPrefix("--model="),
                modelTypes.contains(String(words[place].dropFirst("--model=".count)))
            {
                words.remove(at: place)
            } else {
                place += 1
            }
        }
    }
}
