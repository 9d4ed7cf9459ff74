/// Completes commands at the Tab key.
enum Completion {
    /// What completes a text.
    ///
    /// - Parameter text: What stands before the cursor.
    /// - Returns: What is to be appended: as much as all candidates share, and a space if there is but
    ///   one; `nil` if nothing is.
    static func suffix(for text: String) -> String? {
        guard text.hasPrefix("/"), !text.contains("\n") else { return nil }
        let start = text.lastIndex(of: " ").map(text.index(after:)) ?? text.startIndex
        let word = String(text[start...])
        let found = candidates(after: text[..<start]).filter { $0.hasPrefix(word) }
        guard let first = found.first else { return nil }
        let common = found.dropFirst().reduce(first) { shared, other in
            String(zip(shared, other).prefix { $0 == $1 }.map(\.0))
        }
        let suffix = common.dropFirst(word.count) + (found.count == 1 ? " " : "")
        return suffix.isEmpty ? nil : String(suffix)
    }

    /// The words that may stand after those before them.
    private static func candidates(after text: Substring) -> [String] {
        let words = text.split(separator: " ").map(String.init)
        guard let first = words.first else {
            return unique(CommandTable.commands.map { "/" + $0.name })
        }
        let commands = CommandParser.named(first)
        switch (words.count, commands.first?.subcommand) {
        case (1, nil):
            let isHelp = commands.first?.name == "help"
            return isHelp
                ? unique(CommandTable.commands.map(\.name)) : commands.first?.choices ?? []
        case (1, _): return commands.compactMap(\.subcommand)
        case (2, .some): return commands.first { $0.subcommand == words[1] }?.choices ?? []
        default: return []
        }
    }

    private static func unique(_ words: [String]) -> [String] {
        words.enumerated().filter { !words[..<$0.offset].contains($0.element) }.map(\.element)
    }
}
