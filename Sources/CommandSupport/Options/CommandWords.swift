import ArgumentParser
import Storage

/// The options and subcommands that a command line may hold, as its parser tells them.
struct CommandWords {
    /// An option, a flag or a word that stands by itself.
    struct Option {
        enum Kind: String {
            case option, flag, positional
        }

        let kind: Kind
        /// Every spelling, with dashes.
        let names: [String]
        /// The only values there are; empty if there is no list of them.
        let choices: [String]
        let isNeeded: Bool
        let isRepeating: Bool
        /// Whether values go on to the next option.
        let takesMany: Bool
        let valueName: String
        let summary: String

        /// How messages name it.
        var name: String { names.first { $0.hasPrefix("--") } ?? names.first ?? "<\(valueName)>" }

        /// The line of help that goes with a message.
        var help: String {
            kind == .option ? "\(name) <\(valueName)>  \(summary)" : "\(name)  \(summary)"
        }
    }

    /// The command as it is typed, `mtl-finetune train`.
    let name: String
    /// What the command is for; of a program, the names of its subcommands.
    let subcommands: [String]
    /// Whether the subcommand was typed.
    let isNamed: Bool
    /// Everything but positional words.
    let options: [Option]
    /// The words that stand by themselves, in order.
    let positionals: [Option]

    /// Finds the subcommand that arguments are for; fails if the parser tells nothing.
    ///
    /// - Parameters:
    ///   - program: The program's root command.
    ///   - arguments: Without the program's name.
    init?(_ program: (some ParsableCommand).Type, arguments: [String]) {
        // The parser keeps what it knows to itself, but for what `--experimental-dump-help` prints.
        let text = program._dumpHelp()
        guard let root = try? JSONValue(parsing: text, file: "help")["command"],
            let program = root["commandName"]?.stringValue
        else { return nil }
        let commands = (root["subcommands"]?.arrayValue ?? []).filter {
            $0["commandName"] != "help"
        }
        func command(named name: String?) -> JSONValue? {
            commands.first { $0["commandName"]?.stringValue == name }
        }
        let named = command(named: arguments.first)
        let chosen = named ?? command(named: root["defaultSubcommand"]?.stringValue)
        name = ([program] + [chosen?["commandName"]?.stringValue].compactMap { $0 })
            .joined(separator: " ")
        subcommands = commands.compactMap { $0["commandName"]?.stringValue }
        isNamed = named != nil
        let all = ((chosen ?? root)["arguments"]?.arrayValue ?? []).compactMap(Option.init)
        options = all.filter { $0.kind != .positional }
        positionals = all.filter { $0.kind == .positional }
    }

    /// The option of a name with dashes.
    func option(_ name: String) -> Option? { options.first { $0.names.contains(name) } }

    /// Every spelling of every option.
    var names: [String] { options.flatMap(\.names) }
}

extension CommandWords.Option {
    /// Reads what the parser prints of it.
    fileprivate init?(_ json: JSONValue) {
        guard let kind = json["kind"]?.stringValue.flatMap(Kind.init) else { return nil }
        self.kind = kind
        names = (json["names"]?.arrayValue ?? []).compactMap { name in
            name["name"]?.stringValue.map { (name["kind"] == "long" ? "--" : "-") + $0 }
        }
        choices = (json["allValues"]?.arrayValue ?? []).compactMap(\.stringValue)
        isNeeded = json["isOptional"]?.boolValue == false
        isRepeating = json["isRepeating"]?.boolValue == true
        takesMany = json["parsingStrategy"] == "upToNextOption"
        valueName = json["valueName"]?.stringValue ?? ""
        summary = json["abstract"]?.stringValue ?? ""
    }
}
