import Storage

/// What is wrong with a command line, in one sentence.
///
/// The parser stops at the first thing it misses; here what is unknown comes first, because a word
/// that is spelt wrong is why another one is missing.
struct UsageProblem: Equatable {
    /// Names options as the parser does.
    let sentence: String
    /// Lines of help about the options.
    let help: [String]

    /// Looks for the first problem, from what is unknown to what is missing; fails if it is another one.
    ///
    /// - Parameters:
    ///   - arguments: What the parser read.
    ///   - words: What it could read.
    init?(_ arguments: [String], _ words: CommandWords) {
        let line = ReadLine(words.isNamed ? Array(arguments.dropFirst()) : arguments, words)
        let missing = line.missing(words)
        if !line.unknown.isEmpty {
            self.init(Self.unknown(line.unknown, words))
        } else if let word = line.surplus.first {
            self.init(Self.surplus(word, words, isFirst: word == arguments.first))
        } else if let problem = line.problem {
            self = problem
        } else if !missing.isEmpty {
            let names = missing.map(\.name)
            self.init(
                names.joined(separator: " and ")
                    + (names.count == 1 ? " is missing" : " are missing"),
                help: missing.map(\.help))
        } else {
            return nil
        }
    }

    /// Puts the parser's sentence about a value into the words of all others.
    ///
    /// - Parameter message: What the parser says.
    init?(parserMessage message: String) {
        let (start, middle) = ("The value '", "' is invalid for '")
        guard message.hasPrefix(start), let place = message.firstRange(of: middle) else {
            return nil
        }
        let value = String(message[..<place.lowerBound].dropFirst(start.count))
        let name = message[place.upperBound...].prefix { $0 != " " && $0 != "'" }
        // Choices are known before, so a value that cannot be read is a number of another kind.
        let expected =
            Int(value) != nil
            ? "a number of at least 0" : Double(value) != nil ? "a whole number" : "a number"
        self.init("\(name) is \(quoted(value)), expected \(expected)")
    }

    fileprivate init(_ sentence: String, help: [String] = []) {
        self.sentence = sentence
        self.help = help
    }

    private static func unknown(_ unknown: [String], _ words: CommandWords) -> String {
        let meant = unknown.compactMap { Spelling.nearest(to: $0, among: words.names) }
        return "unknown option" + (unknown.count == 1 ? " " : "s ")
            + unknown.map(quoted).joined(separator: ", ")
            + (meant.isEmpty
                ? "" : "; did you mean \(meant.map(quoted).joined(separator: ", "))?")
    }

    private static func surplus(
        _ word: String, _ words: CommandWords, isFirst: Bool
    ) -> String {
        guard isFirst, !words.subcommands.isEmpty else {
            return "unexpected word \(quoted(word)); "
                + "a text of several words stands in quotes"
        }
        if let meant = Spelling.nearest(to: word, among: words.subcommands) {
            return "unknown command \(quoted(word)); did you mean \(quoted(meant))?"
        }
        return "unknown command \(quoted(word)), expected an option or one of "
            + words.subcommands.joined(separator: ", ")
    }
}

/// A command line, read as far as that goes without a parser.
private struct ReadLine {
    /// Options that there are not, as they are spelt.
    private(set) var unknown: [String] = []
    /// Words that belong to nothing.
    private(set) var surplus: [String] = []
    /// The first option with a wrong value, or without one.
    private(set) var problem: UsageProblem?
    private var given: Set<String> = []
    private var positionals = 0

    init(_ arguments: [String], _ words: CommandWords) {
        var rest = arguments[...]
        var isOption = true
        while let word = rest.popFirst() {
            guard isOption, word.hasPrefix("-"), word != "-" else {
                read(word, words)
                continue
            }
            guard word != "--" else {
                isOption = false
                continue
            }
            let name = CommandArguments.name(word)
            guard let option = words.option(name) else {
                unknown.append(name)
                // What follows is its value, if anything.
                if let next = rest.first, !next.hasPrefix("-") { rest.removeFirst() }
                continue
            }
            given.insert(option.name)
            var values = word == name ? [] : [String(word.dropFirst(name.count + 1))]
            if option.kind == .option {
                func takes(_ next: String?) -> Bool {
                    next.map { $0 == "-" || !$0.hasPrefix("-") } ?? false
                }
                if values.isEmpty, takes(rest.first) { values.append(rest.removeFirst()) }
                while option.takesMany, takes(rest.first) { values.append(rest.removeFirst()) }
            }
            let isValue = rest.first.map { words.option(CommandArguments.name($0)) == nil } ?? false
            let next = values.isEmpty && option.kind == .option && isValue ? rest.first : nil
            // What looks like a text that begins with a dash is no option.
            if let next, !next.hasPrefix("--") || next.contains(" ") { rest.removeFirst() }
            if problem == nil { problem = Self.problem(name, option, values, next: next) }
        }
    }

    /// The options and words without which there is nothing to do.
    func missing(_ words: CommandWords) -> [CommandWords.Option] {
        words.options.filter { $0.isNeeded && !given.contains($0.name) }
            + words.positionals.dropFirst(positionals).filter(\.isNeeded)
    }

    private mutating func read(_ word: String, _ words: CommandWords) {
        positionals += 1
        if positionals > words.positionals.count, words.positionals.last?.isRepeating != true {
            surplus.append(word)
        }
    }

    private static func problem(
        _ name: String, _ option: CommandWords.Option, _ values: [String], next: String?
    ) -> UsageProblem? {
        if option.kind == .flag {
            guard let value = values.first else { return nil }
            return UsageProblem("\(name) is \(quoted(value)), expected no value")
        }
        guard !values.isEmpty else {
            let remedy = next.map {
                "; one that begins with a dash is written \(name)=" + quoted($0)
            }
            return UsageProblem("\(name) has no value" + (remedy ?? ""), help: [option.help])
        }
        for value in values where !option.choices.isEmpty && !option.choices.contains(value) {
            let meant = Spelling.nearest(to: value, among: option.choices)
            return UsageProblem(
                "\(name) is \(quoted(value)), expected one of "
                    + option.choices.joined(separator: ", ")
                    + (meant.map { "; did you mean \(quoted($0))?" } ?? ""), help: [option.help])
        }
        return nil
    }
}
