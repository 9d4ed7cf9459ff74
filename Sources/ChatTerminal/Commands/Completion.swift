import CommandSupport
import Storage

/// Completes commands, their words, names and files at the Tab key.
struct Completion {
    /// What a Tab does.
    enum Result: Equatable {
        /// Nothing.
        case nothing
        /// It appends a text.
        case suffix(String)
        /// It showed what the text may become.
        case shown
    }

    /// The branches of the conversation.
    var branches: [String] = []
    /// The adapters that were read.
    var adapters: [String] = []
    /// The person's folder, for which `~` stands.
    var homeFolder: String?

    /// What completes a text.
    ///
    /// - Parameters:
    ///   - text: What stands before the cursor.
    ///   - show: Called with the words that the last one may become, where they share nothing more.
    /// - Returns: What is to be appended: as much as all candidates share, and a space if there is but
    ///   one that is no folder.
    func complete(_ text: String, show: ([String]) -> Void) -> Result {
        let (word, found) = candidates(for: text)
        guard let first = found.first else { return .nothing }
        let common = found.dropFirst().reduce(first) { shared, other in
            String(zip(shared, other).prefix { $0 == $1 }.map(\.0))
        }
        let isWhole = found.count == 1 && !first.hasSuffix("/")
        let suffix = common.dropFirst(word.count) + (isWhole ? " " : "")
        if !suffix.isEmpty { return .suffix(String(suffix)) }
        guard found.count > 1 else { return .nothing }
        // Of a path only the name is news.
        let start = word.lastIndex(of: "/").map {
            $0 == word.startIndex ? $0 : word.index(after: $0)
        }
        let known = start.map { word[..<$0].count } ?? 0
        let isPath = found.contains { $0.dropFirst().contains("/") }
        show(isPath ? found.map { String($0.dropFirst(known)) } : found)
        return .shown
    }

    /// The word before the cursor, and what it may become.
    func candidates(for text: String) -> (word: String, found: [String]) {
        guard text.hasPrefix("/"), !text.contains("\n") else { return ("", []) }
        let start = text.lastIndex(of: " ").map(text.index(after:)) ?? text.startIndex
        let words = text[..<start].split(separator: " ").map(String.init)
        guard let (command, count) = command(words) else {
            let word = String(text[start...])
            return (word, following(words).filter { $0.hasPrefix(word) })
        }
        // The rest of the line is one argument, blanks included.
        let rest = text.split(separator: " ", maxSplits: count).dropFirst(count).first ?? ""
        let argument = rest.hasPrefix("--overwrite ") ? rest.dropFirst(12).drop { $0 == " " } : rest
        let word = String(argument)
        return (word, values(of: command, word).filter { $0.hasPrefix(word) })
    }

    /// The command whose argument is typed, and how many words it has.
    private func command(_ words: [String]) -> (Command, Int)? {
        guard let first = words.first else { return nil }
        let named = CommandParser.named(first)
        if let only = named.first, only.subcommand == nil { return (only, 1) }
        guard words.count > 1 else { return nil }
        return named.first { $0.subcommand == words[1] }.map { ($0, 2) }
    }

    /// The words of commands that may stand after those before them.
    private func following(_ words: [String]) -> [String] {
        guard let first = words.first else {
            return Self.unique(CommandTable.commands.map { "/" + $0.name })
        }
        return words.count == 1 ? CommandParser.named(first).compactMap(\.subcommand) : []
    }

    /// What a command's argument may be.
    private func values(of command: Command, _ word: String) -> [String] {
        switch command.completes {
        case .words where command.name == "help":
            Self.unique(CommandTable.commands.map(\.name))
        case .words: command.choices
        case .branches: branches
        case .adapters: adapters
        case .files: paths(word, foldersOnly: false)
        case .folders: paths(word, foldersOnly: true)
        }
    }

    /// The files that begin as a word does, folders with a slash; hidden ones if it asks for them.
    private func paths(_ word: String, foldersOnly: Bool) -> [String] {
        let start = word.lastIndex(of: "/").map(word.index(after:)) ?? word.startIndex
        let (shown, name) = (String(word[..<start]), word[start...])
        var folder = shown.isEmpty ? "." : shown
        if shown.hasPrefix("~/"), let homeFolder {
            folder = homeFolder + shown.dropFirst()
        }
        let names = (try? FolderTree.names(in: folder)) ?? []
        return names.sorted().compactMap { found in
            guard found.hasPrefix(name), !found.hasPrefix(".") || name.hasPrefix("."),
                !found.unicodeScalars.contains(where: { $0.value < 0x20 })
            else { return nil }
            let isFolder = FilePath.isFolder(FilePath.join(folder, found))
            guard isFolder || !foldersOnly else { return nil }
            return shown + found + (isFolder ? "/" : "")
        }
    }

    private static func unique(_ words: [String]) -> [String] {
        words.enumerated().filter { !words[..<$0.offset].contains($0.element) }.map(\.element)
    }
}

extension Completion {
    /// Words in columns, read downwards, as many as fit.
    static func columns(_ words: [String], width: Int) -> [String] {
        let cell = (words.map(DisplayWidth.of).max() ?? 0) + 2
        let count = max(1, (width + 2) / cell)
        let rows = (words.count + count - 1) / count
        return (0..<rows).map { row in
            let cells = stride(from: row, to: words.count, by: rows).map { words[$0] }
            return cells.enumerated().map { place, word in
                place == cells.count - 1
                    ? word : word + String(repeating: " ", count: cell - DisplayWidth.of(word))
            }.joined()
        }
    }
}
