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
