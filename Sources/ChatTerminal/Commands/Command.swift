import Chat
import Storage

/// A command of the session, as parser, help and completion know it.
struct Command: Sendable {
    /// What follows the command's words.
    enum Argument: Sendable {
        /// Nothing.
        case none
        /// A text that may be left out, by its name in the help.
        case optional(String)
        /// A text, by its name in the help.
        case required(String)
    }

    /// What an argument may be.
    enum Values: Sendable {
        /// One of ``choices``.
        case words
        /// The name of a branch.
        case branches
        /// An adapter that was read.
        case adapters
        /// The path of a file.
        case files
        /// The path of a folder.
        case folders
    }

    /// The first word, without slash.
    let name: String
    /// Other spellings of it.
    var aliases: [String] = []
    /// The second word, of commands that have one.
    var subcommand: String?
    /// What follows.
    var argument = Argument.none
    /// The words that may be given as the argument, for completion.
    var choices: [String] = []
    /// What the argument is completed to.
    var completes = Values.words
    /// What it does, in a few words.
    let summary: String
    /// What else is worth knowing, in sentences.
    var details = ""
    /// The action, given the argument.
    let action: @Sendable (String?) throws(CommandError) -> CommandAction

    /// How it is typed: `/set parameter NAME VALUE`.
    var usage: String {
        var words = ["/" + name]
        if let subcommand { words.append(subcommand) }
        switch argument {
        case .none: break
        case .optional(let name): words.append("[\(name)]")
        case .required(let name): words.append(name)
        }
        return words.joined(separator: " ")
    }

    /// The action for what follows the command's words.
    func action(for text: String) throws(CommandError) -> CommandAction {
        switch argument {
        case .none where !text.isEmpty:
            throw CommandError.unexpectedArgument(usage: usage, found: text)
        case .required where text.isEmpty: throw CommandError.missingArgument(usage: usage)
        default: return try action(text.isEmpty ? nil : text)
        }
    }
}

/// What can be wrong with a command.
enum CommandError: Error, Equatable {
    /// There is no such command; `nearest` is spelt like it.
    case unknown(found: String, nearest: String?)
    /// A command has no such second word.
    case unknownSubcommand(command: String, found: String, expected: [String])
    /// Something is missing.
    case missingArgument(usage: String)
    /// Something is too much.
    case unexpectedArgument(usage: String, found: String)
    /// A value is not what the command takes.
    case value(usage: String, found: String, expected: String)
}

extension CommandError: CustomStringConvertible {
    /// The sentence for the user.
    var description: String {
        switch self {
        case .unknown(let found, let nearest):
            "unknown command '\(PlainText.short(found))'; "
                + (nearest.map { "did you mean \($0)? " } ?? "/help lists the commands. ")
                + "To send it as a message, put a space before it"
        case .unknownSubcommand(let command, let found, let expected):
            (found.isEmpty
                ? "\(command) lacks its second word"
                : "\(command) does not know '\(PlainText.short(found))'")
                + ", expected \(expected.joined(separator: ", "))"
        case .missingArgument(let usage): "expected \(usage)"
        case .unexpectedArgument(let usage, let found):
            "found '\(PlainText.short(found))', expected nothing after \(usage)"
        case .value(let usage, let found, let expected):
            "\(usage): found '\(PlainText.short(found))', expected \(expected)"
        }
    }
}

/// What a command asks for.
enum CommandAction: Equatable {
    /// Explains all commands, or one.
    case help(String?)
    /// Leaves.
    case leave
    /// Forgets the conversation.
    case clear
    /// Answers again.
    case regenerate
    /// Takes back the last exchange.
    case undo
    /// Shows a part of the session.
    case show(ShowTopic)
    /// Changes a setting.
    case change(SettingChange)
    /// Reads or writes a file.
    case file(FileAction)
    /// Does something with branches.
    case branch(BranchAction)
    /// Does something with adapters.
    case adapter(AdapterAction)
    /// Answers without and with the adapter.
    case compare(String?)
    /// Tells how likely a text is.
    case score(String)
    /// Shows the tokens of a text.
    case tokens(String)
    /// Shows what the session did so far.
    case statistics
    /// Draws the tree of a layer.
    case tree(layer: Int)
}

/// What `/show` can show.
enum ShowTopic: String, CaseIterable {
    /// Model, adapter, topology and all else in short.
    case info
    /// The model alone.
    case model
    /// The parameters of answers.
    case parameters
    /// What the model is told first.
    case system
    /// How a question is written to the model.
    case template
    /// The conversation.
    case history
}

/// What `/set` can change.
enum SettingChange: Equatable {
    /// A parameter of answers.
    case parameter(name: String, value: String)
    /// Nothing: the parameters are listed.
    case listParameters
    /// What the model is told first; `nil` for nothing.
    case system(String?)
    /// What becomes of earlier turns.
    case history(HistoryMode)
    /// Whether messages are kept for the arrow keys.
    case recording(Bool)
    /// Whether each answer is followed by its figures.
    case verbose(Bool)
    /// Whether lines are broken between words.
    case wordWrap(Bool)
}

/// What can be done with files.
enum FileAction: Equatable {
    /// Saves the session.
    case save(FileTarget)
    /// Loads a session.
    case load(String)
    /// Writes the conversation for others.
    case export(FileTarget)
}

/// A file to be written, as typed.
struct FileTarget: Equatable {
    /// Its name.
    var name: String
    /// Whether it may be replaced if it is somebody else's.
    var isOverwriting = false
}

/// What can be done with branches.
enum BranchAction: Equatable {
    /// Lists them.
    case list
    /// Begins one.
    case fork(String)
    /// Goes on in one.
    case change(to: String)
}

/// What can be done with adapters.
enum AdapterAction: Equatable {
    /// Lists them.
    case list
    /// Turns one on; `nil` for the one that acted last.
    case on(String?)
    /// Turns the one off that acts.
    case off
    /// Loads one.
    case load(String)
}

/// Reads commands.
enum CommandParser {
    /// Whether a message is meant as a command: it begins with a slash.
    ///
    /// Of a text of many lines, only one whose first word is a known command is: what begins with a
    /// path, as pasted logs do, is a message.
    static func isCommand(_ message: String) -> Bool {
        guard message.hasPrefix("/") else { return false }
        return !message.contains("\n") || !named(split(message).word).isEmpty
    }

    /// What a command asks for.
    ///
    /// - Parameter message: The text, with its slash.
    /// - Returns: The action.
    /// - Throws: ``CommandError``.
    static func action(of message: String) throws(CommandError) -> CommandAction {
        let (word, rest) = split(message)
        let commands = named(word)
        guard let first = commands.first else {
            throw CommandError.unknown(found: word, nearest: nearest(to: word))
        }
        guard first.subcommand != nil else { return try first.action(for: rest) }
        let (second, argument) = split(rest)
        guard let command = commands.first(where: { $0.subcommand == second }) else {
            throw CommandError.unknownSubcommand(
                command: "/" + first.name, found: second,
                expected: commands.compactMap(\.subcommand))
        }
        return try command.action(for: argument)
    }

    /// The commands of a first word, with or without its slash; one, unless there are second words.
    static func named(_ word: String) -> [Command] {
        let name = word.hasPrefix("/") ? String(word.dropFirst()) : word
        return CommandTable.commands.filter { $0.name == name || $0.aliases.contains(name) }
    }

    /// The first word and what follows it, without the spaces around both.
    static func split(_ text: String) -> (word: String, rest: String) {
        let text = text.drop { $0.isWhitespace }
        let word = text.prefix { !$0.isWhitespace }
        let rest = text[word.endIndex...].drop { $0.isWhitespace }
        let end = rest.lastIndex { !$0.isWhitespace }.map(rest.index(after:)) ?? rest.endIndex
        return (String(word), String(rest[..<end]))
    }

    /// The command that is spelt most like a word; `nil` if none is.
    static func nearest(to word: String) -> String? {
        let names = CommandTable.commands.flatMap { [$0.name] + $0.aliases }.filter { $0.count > 1 }
        return Spelling.nearest(to: String(word.drop { $0 == "/" }), among: names).map { "/" + $0 }
    }
}
