import Storage

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
