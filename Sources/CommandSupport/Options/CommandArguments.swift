import ArgumentParser
import Storage

/// What a user typed, made ready for the parser.
///
/// Long flags may be written in snake case (`--learning_rate`), as Hugging Face's tools do, and a
/// negative number is a value, no flag. A file given with `--config` holds flags as keys; those on
/// the command line win.
struct CommandArguments {
    /// Where an option was written otherwise than the parser reads it.
    enum Spelling: Equatable {
        /// On the command line.
        case typed(String)
        /// As a key of a file.
        case key(String, file: String, line: Int)
    }

    /// What the parser reads: arguments in kebab case, the file's flags in the place of `--config`.
    let words: [String]
    /// The spellings by the parser's names, with dashes.
    let spellings: [String: Spelling]

    /// Rewrites arguments.
    ///
    /// - Parameters:
    ///   - typed: Without the program's name.
    ///   - program: Whose options they are.
    /// - Throws: ``ConfigurationFileError`` or `FileError` if the file cannot be used.
    init(_ typed: [String], of program: (some ParsableCommand).Type) throws {
        var spellings: [String: Spelling] = [:]
        let words = Self.joiningNegativeNumbers(
            typed.map { word in
                let kebab = Self.kebabCased(word)
                if kebab != word { spellings[Self.name(kebab)] = .typed(Self.name(word)) }
                return kebab
            })
        guard let (place, width, path) = Self.configuration(in: words) else {
            (self.words, self.spellings) = (words, spellings)
            return
        }
        var rest = words
        rest.removeSubrange(place..<place + width)
        let given = Set(rest.filter { $0.hasPrefix("--") }.map(Self.positive))
        let file = try ConfigurationFile(
            path: path, words: CommandWords(program, arguments: words))
        var fromFile: [String] = []
        for flag in file.flags where !given.contains(Self.positive("--" + flag.name)) {
            fromFile += flag.arguments
            for name in Set(flag.arguments.map(Self.name)) {
                spellings[name] = .key(flag.key, file: path, line: flag.line)
            }
        }
        self.words = Array(rest[..<place]) + fromFile + Array(rest[place...])
        self.spellings = spellings
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
    ) -> (place: Int, width: Int, path: String)? {
        guard let place = words.firstIndex(where: { name($0) == "--config" }) else { return nil }
        let (path, width) =
            words[place] == "--config"
            ? (place + 1 < words.count ? words[place + 1] : "", 2)
            : (String(words[place].dropFirst("--config=".count)), 1)
        // `init` takes a model's configuration by the same name; only YAML files hold flags.
        return path.hasSuffix(".yaml") || path.hasSuffix(".yml") ? (place, width, path) : nil
    }
}
