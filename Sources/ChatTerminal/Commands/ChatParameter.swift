import Chat

/// A parameter of answers, as `/set parameter` knows it.
///
/// Names are ollama's; those of the program's flags and of llama.cpp are understood too, with dashes
/// or underscores.
struct ChatParameter: Sendable {
    /// The name.
    let name: String
    /// Other names, with underscores.
    let aliases: [String]
    /// What it does and which values it takes, in one sentence.
    let summary: String
    /// The value as text.
    let text: @Sendable (ChatSettings) -> String
    /// Changes the value; false if the text is none.
    let change: @Sendable (inout ChatSettings, String) -> Bool

    /// All of them, in the order of listings.
    static let all: [ChatParameter] = [
        number(
            "temperature", ["temp"],
            "Divides the logits, at least 0; 0 takes the most likely token each time.",
            \.sampling.temperature),
        number(
            "top_p", [],
            "Keeps the fewest most likely tokens whose probabilities reach this sum, above 0 up to 1.",
            \.sampling.topP),
        integer(
            "top_k", [], "Keeps this many of the most likely tokens; 0 keeps all.",
            \.sampling.topK),
        number(
            "min_p", [],
            "Keeps tokens at least this share as likely as the most likely one, 0 to 1.",
            \.sampling.minP),
        number(
            "repeat_penalty", ["repetition_penalty"],
            "Makes recent tokens less likely, above 0; 1 changes nothing.",
            \.sampling.repetitionPenalty),
        ChatParameter(
            name: "repeat_last_n", aliases: [],
            summary: "How many of the last tokens count as recent; 0 for none, -1 for all.",
            text: {
                let window = $0.sampling.repetitionWindow
                return window == .max ? "-1" : "\(window)"
            },
            change: { settings, text in
                Int(text).map { settings.sampling.repetitionWindow = $0 == -1 ? .max : $0 } != nil
            }),
        ChatParameter(
            name: "seed", aliases: [], summary: "The same seed gives the same answers.",
            text: { "\($0.seed)" },
            change: { settings, text in UInt64(text).map { settings.seed = $0 } != nil }),
        integer(
            "num_predict", ["max_tokens", "n_predict"], "The most tokens of an answer, at least 1.",
            \.maxTokens),
        ChatParameter(
            name: "stop", aliases: [],
            summary: #"Texts that end an answer, each in quotes if it holds spaces; "" for none."#,
            text: { $0.stopStrings.map { "\"\(PlainText.escaped($0))\"" }.joined(separator: " ") },
            change: { settings, text in
                settings.stopStrings = QuotedWords.split(text).filter { !$0.isEmpty }
                return true
            }),
    ]

    /// The parameter of a name; `nil` if there is none.
    static func named(_ name: String) -> ChatParameter? {
        let name = name.lowercased().replacing("-", with: "_")
        return all.first { $0.name == name || $0.aliases.contains(name) }
    }

    private static func number(
        _ name: String, _ aliases: [String], _ summary: String,
        _ path: WritableKeyPath<ChatSettings, Double> & Sendable
    ) -> ChatParameter {
        ChatParameter(
            name: name, aliases: aliases, summary: summary, text: { "\($0[keyPath: path])" },
            change: { settings, text in Double(text).map { settings[keyPath: path] = $0 } != nil })
    }

    private static func integer(
        _ name: String, _ aliases: [String], _ summary: String,
        _ path: WritableKeyPath<ChatSettings, Int> & Sendable
    ) -> ChatParameter {
        ChatParameter(
            name: name, aliases: aliases, summary: summary, text: { "\($0[keyPath: path])" },
            change: { settings, text in Int(text).map { settings[keyPath: path] = $0 } != nil })
    }
}

/// Words that may stand in double quotes, as in a shell.
enum QuotedWords {
    /// The words of a line.
    ///
    /// In quotes, `\n` is a line end, `\t` a tab, and `\` before any other character that character.
    static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        var rest = text.makeIterator()
        while let character = rest.next() {
            switch character {
            case "\"":
                isQuoted.toggle()
                word = word ?? ""
            case "\\" where isQuoted: word = (word ?? "") + unescaped(rest.next())
            case _ where character.isWhitespace && !isQuoted:
                if let complete = word { words.append(complete) }
                word = nil
            default: word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }

    private static func unescaped(_ character: Character?) -> String {
        switch character {
        case "n": "\n"
        case "t": "\t"
        default: character.map(String.init) ?? "\\"
        }
    }
}
