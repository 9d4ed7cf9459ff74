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
        let typed = word.drop { $0 == "/" }.prefix(40).lowercased()
        let names = CommandTable.commands.flatMap { [$0.name] + $0.aliases }.filter { $0.count > 1 }
        let close = names.map { ($0, Spelling.distance($0, typed)) }.min { $0.1 < $1.1 }
        if let close, close.1 <= (typed.count < 4 ? 1 : 2) { return "/" + close.0 }
        return names.first { typed.count > 1 && $0.hasPrefix(typed) }.map { "/" + $0 }
    }
}

/// How alike words are spelt.
enum Spelling {
    /// The least number of letters to insert, delete, replace or swap with their neighbour.
    ///
    /// Source: the optimal string alignment distance, by dynamic programming.
    /// - Complexity: O(*n*·*m*) for words of *n* and *m* letters.
    static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left), Array(right))
        var rows = [Array(0...b.count)]
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = min(rows[i][j + 1], row[j]) + 1
                least = min(least, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    least = min(least, rows[i - 1][j - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
