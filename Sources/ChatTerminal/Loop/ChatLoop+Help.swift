import CommandSupport

extension ChatLoop {
    /// Explains all commands, or one.
    func help(_ name: String?) throws {
        guard let name else { return overview() }
        let commands = CommandParser.named(name)
        guard let first = commands.first else {
            throw CommandError.unknown(found: name, nearest: CommandParser.nearest(to: name))
        }
        list(commands.map { ($0.usage, [$0.summary, $0.details]) })
        if !first.aliases.isEmpty {
            screen.line("Also: " + first.aliases.map { "/" + $0 }.joined(separator: ", "))
        }
        if first.name == "set" {
            screen.line()
            parameters(withSummaries: true)
        }
    }

    private func overview() {
        list(CommandTable.commands.map { ($0.usage, [$0.summary]) })
        screen.line()
        list([
            ("\"\"\"", ["Begins and ends a message of several lines"]),
            ("\\ at a line's end, Alt-Enter", ["Goes on with the message on a new line"]),
            ("Ctrl-C", ["Stops an answer, or clears the line"]),
            ("Ctrl-D", ["Leaves"]),
        ])
    }

    /// Rows of a word and sentences about it.
    func list(_ rows: [(String, [String])]) {
        for (word, sentences) in rows { row(word, sentences, indent: 33) }
    }

    /// A word and sentences about it, broken between words on a terminal.
    func row(_ word: String, _ sentences: [String], indent: Int) {
        let text = sentences.filter { !$0.isEmpty }.joined(separator: ". ")
        let width = screen.isTerminal ? max(screen.width - 1 - indent, 30) : .max
        let lines = WordWrap.lines(of: text, width: width)
        screen.line(padded(word, to: indent) + (lines.first ?? ""))
        for line in lines.dropFirst() {
            screen.line(String(repeating: " ", count: indent) + line)
        }
    }
}
