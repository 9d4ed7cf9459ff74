import ArgumentParser
import Storage
import YAML

/// What a user typed, made ready for the parser.
///
/// Long flags may be written in snake case (`--learning_rate`), as Hugging Face's tools do, names of other
/// programs are read as ours (``ForeignName``), and a negative number is a value, no flag. A file given with `--config` holds flags as keys, and so do the
/// recipes given with `--recipe`; those on the command line win, then those of the file, then those of the
/// last recipe.
struct CommandArguments {
    /// Where an option was written otherwise than the parser reads it.
    enum Spelling: Equatable {
        /// On the command line.
        case typed(String)
        /// As a key of a file.
        case key(String, file: String, line: Int)
    }

    /// What the parser reads: arguments in kebab case, the file's flags in the place of `--config` or
    /// `--recipe`.
    let words: [String]
    /// The spellings by the parser's names, with dashes.
    let spellings: [String: Spelling]
    /// Settings of other programs that are left out since they change nothing here, as they are written.
    let leftOut: [String]

    /// Rewrites arguments.
    ///
    /// - Parameters:
    ///   - typed: Without the program's name.
    ///   - program: Whose options they are.
    ///   - recipes: The texts that `--recipe` may name.
    /// - Throws: ``ConfigurationFileError`` or `FileError` if the file cannot be used;
    ///   ``ForeignNameError``.
    init(
        _ typed: [String], of program: (some ParsableCommand).Type,
        recipes: [String: [UInt8]] = [:]
    ) throws {
        var spellings: [String: Spelling] = [:]
        let name = program.configuration.commandName ?? ""
        let typed = Self.knownBeginning(typed, of: name)
        let kebab = typed.map { word in
            let kebab = Self.kebabCased(word)
            if kebab != word { spellings[Self.name(kebab)] = .typed(Self.name(word)) }
            return kebab
        }
        let line = try ForeignNames(program: name, first: typed.first)?.read(kebab, typed: typed)
        for (ours, theirs) in line?.spellings ?? [:] { spellings[ours] = .typed(theirs) }
        var leftOut = line?.leftOut ?? []
        let words = Self.joiningNegativeNumbers(line?.words ?? kebab)
        var (rest, places) = (words, [Int]())
        func take(_ found: (place: Int, width: Int, value: String)) -> String {
            rest.removeSubrange(found.place..<found.place + found.width)
            places.append(found.place)
            return found.value
        }
        let path = Self.configuration(in: rest).map(take)
        var names: [String] = []
        while !recipes.isEmpty, let found = Self.value(of: "--recipe", in: rest) {
            names.append(take(found))
        }
        guard let place = places.min() else {
            self.words = words
            self.spellings = spellings
            self.leftOut = leftOut
            return
        }
        var given = Set(rest.filter { $0.hasPrefix("--") }.map(Self.positive))
        let known = CommandWords(program, arguments: words)
        var fromFiles: [String] = []
        func add(_ file: ConfigurationFile) {
            leftOut += file.leftOut
            let flags = file.flags.filter {
                !given.contains(Self.positive("--" + $0.name)) && $0.name != "recipe"
            }
            for flag in flags {
                fromFiles += flag.arguments
                given.insert(Self.positive("--" + flag.name))
                for name in Set(flag.arguments.map(Self.name)) {
                    spellings[name] = .key(flag.key, file: file.file, line: flag.line)
                }
            }
        }
        if let path {
            let file = try ConfigurationFile(path: path, words: known)
            // A file may name recipes itself, which come after those that were typed.
            if !recipes.isEmpty {
                names =
                    file.flags.filter { $0.name == "recipe" }.flatMap(\.arguments)
                    .map { String($0.dropFirst("--recipe=".count)) } + names
            }
            add(file)
        }
        for name in names.reversed() {
            guard let text = recipes[name] else {
                throw ConfigurationFileError.unknownRecipe(
                    name: name, known: recipes.keys.sorted())
            }
            let file = "recipe \(name)"
            add(
                try ConfigurationFile(
                    YAMLReader.parse(text, file: file), file: file, words: known))
        }
        self.words = Array(rest[..<place]) + fromFiles + Array(rest[place...])
        self.spellings = spellings
        self.leftOut = leftOut
    }

    /// The words with a beginning of other programs' read as ours: their name for a subcommand, or a file of
    /// settings that stands by itself.
    private static func knownBeginning(_ typed: [String], of program: String) -> [String] {
        guard let first = typed.first else { return typed }
        let rest = Array(typed.dropFirst())
        let isSettings = [".yaml", ".yml"].contains(where: first.hasSuffix)
        switch (program, first) {
        case ("mtl-finetune", "sft"), ("mtl-finetune", "lora"), ("mtl-finetune", "finetune"):
            return knownBeginning(["train"] + rest, of: program)
        case ("mtl-finetune", "train"):
            guard let file = rest.first, [".yaml", ".yml"].contains(where: file.hasSuffix) else {
                return typed
            }
            return ["train", "--config"] + rest
        case ("mtl-finetune", _) where isSettings: return ["train", "--config"] + typed
        case ("mtl-finetune", "fuse"): return ["merge"] + rest
        case ("mtl-eval", "ls"): return ["run", "--list-tasks"]
        case ("mtl-chat", "run"), ("mtl-chat", "chat"), ("mtl-chat", "generate"): return rest
        default: return typed
        }
    }

    /// A sentence about options, with each named as the user wrote it.
    ///
    /// - Parameter sentence: Names options as the parser does.
    /// - Returns: The sentence, the place in the file first.
    func spelled(_ sentence: String) -> String {
        var (result, place) = ("", "")
        var rest = Substring(sentence)
        while let dashes = rest.firstRange(of: "--") {
            result += rest[..<dashes.lowerBound]
            let name = rest[dashes.lowerBound...].prefix {
                $0 == "-" || $0.isASCII && ($0.isLetter || $0.isNumber)
            }
            switch spellings[String(name)] {
            case .typed(let typed): result += typed
            case .key(let key, let file, let line):
                result += "key \(quoted(key))"
                if place.isEmpty { place = "\(quotedPath(file)):\(line): " }
            case nil: result += name
            }
            rest = rest[name.endIndex...]
        }
        return place + result + rest
    }

    /// A sentence about a number, with the number as the user wrote it.
    ///
    /// - Parameter sentence: Begins with an option's name, and tells what was read of its value.
    /// - Returns: `--temp is -1` for `--temp is -1.0`.
    func asWritten(_ sentence: String) -> String {
        let parts = sentence.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1] == "is", let end = parts[2].firstIndex(of: ","),
            let found = Double(parts[2][..<end])
        else { return sentence }
        let values = words.indices.compactMap { place -> String? in
            if words[place].hasPrefix(parts[0] + "=") {
                return String(words[place].dropFirst(parts[0].count + 1))
            }
            return words[place] == parts[0] && place + 1 < words.count ? words[place + 1] : nil
        }
        guard let written = values.last(where: { Double($0) == found }) else { return sentence }
        return "\(parts[0]) is \(written)" + parts[2][end...]
    }

    /// The name of an option, without a value behind `=`.
    static func name(_ word: String) -> String { String(word.prefix { $0 != "=" }) }

    /// The same without the `no-` of a negation.
    private static func positive(_ word: String) -> String {
        let name = name(word)
        return name.hasPrefix("--no-") ? "--" + name.dropFirst(5) : name
    }

    /// A long option in kebab case, other words as they are.
    static func kebabCased(_ word: String) -> String {
        guard word.hasPrefix("--") else { return word }
        let end = word.firstIndex(of: "=") ?? word.endIndex
        return word[..<end].map { $0 == "_" ? "-" : String($0) }.joined() + word[end...]
    }

    /// Ties negative numbers to the option before them, so that they are not taken for options.
    private static func joiningNegativeNumbers(_ words: [String]) -> [String] {
        var joined: [String] = []
        for (place, word) in words.enumerated() {
            if place > 0, word.hasPrefix("-"), Double(word) != nil, let option = joined.last,
                option == words[place - 1], option.hasPrefix("-"), option.last != "-",
                !option.contains("=")
            {
                joined[joined.count - 1] = option + "=" + word
            } else {
                joined.append(word)
            }
        }
        return joined
    }

    /// Where `--config` names a file of flags; `nil` if it does not.
    private static func configuration(
        in words: [String]
    ) -> (place: Int, width: Int, value: String)? {
        guard let found = value(of: "--config", in: words) else { return nil }
        // `init` takes a model's configuration by the same name; only YAML files hold flags.
        let isFlags = found.value.hasSuffix(".yaml") || found.value.hasSuffix(".yml")
        return isFlags ? found : nil
    }

    /// Where an option is first given, how many words it takes, and its value.
    private static func value(
        of option: String, in words: [String]
    ) -> (place: Int, width: Int, value: String)? {
        guard let place = words.firstIndex(where: { name($0) == option }) else { return nil }
        guard words[place] == option else {
            return (place, 1, String(words[place].dropFirst(option.count + 1)))
        }
        let hasValue = place + 1 < words.count
        return (place, hasValue ? 2 : 1, hasValue ? words[place + 1] : "")
    }
}

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
        // The parser keeps what it knows to itself, except for what `--experimental-dump-help` prints.
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
