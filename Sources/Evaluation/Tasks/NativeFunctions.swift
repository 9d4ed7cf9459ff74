import Python
import Storage

extension NativeFunction {
    /// COPA: the premise with a connecting word; choices begin in lower case, after a blank.
    static let copa = [
        copa("doc_to_text") { document in
            let word =
                switch try document.fields.string("question") {
                case "cause": "because"
                case "effect": "therefore"
                case let other:
                    throw EvaluationError.value(
                        place: document.place, task: "copa", field: "question",
                        found: quoted(other), expected: "'cause' or 'effect'")
                }
            let premise = try document.fields.string("premise").stripped
            return .string(premise.slice(0, max(0, premise.scalarCount - 1)) + " " + word)
        },
        copa("doc_to_choice") { document in
            [try choice("choice1", of: document), try choice("choice2", of: document)]
        },
        copa("doc_to_target") { document in
            let label = try document.fields.value("label")
            return try choice(label.equalsInPython(0) ? "choice1" : "choice2", of: document)
        },
    ]

    private static func copa(
        _ name: String, _ body: @escaping @Sendable (Document) throws -> JSONValue
    ) -> NativeFunction {
        NativeFunction(
            name: "utils.\(name)", home: "copa",
            python: "0be98a907db647a518c42c916a61385b64f394cf9d0171b5cb86b7a036282de7",
            body: .field(body))
    }

    private static func choice(_ field: String, of document: Document) throws -> JSONValue {
        let text = try document.fields.string(field)
        guard !text.isEmpty else {
            throw EvaluationError.value(
                place: document.place, task: "copa", field: field, found: "empty",
                expected: "at least one character")
        }
        return .string(" " + text.slice(0, 1).pythonLowercase + text.slice(1))
    }
}

extension NativeFunction {
    /// HellaSwag: the scene and its endings, cleaned of marks.
    static let hellaSwag = [
        NativeFunction(
            name: "utils.process_docs", home: "hellaswag",
            python: "07d23b60b28f2a4f658dcf8440623a63fe6644854ce9b846a114dde980dc1214",
            body: .document { document in
                let fields = document.fields
                let second = try fields.string("ctx_b").pythonCapitalized
                let scene = (try fields.string("ctx_a")) + " " + second
                var object = document.object
                object["query"] = .string(
                    cleaned((try fields.string("activity_label")) + ": " + scene))
                object["choices"] = .array(
                    try fields.strings("endings").map { .string(cleaned($0)) })
                object["gold"] = .integer(try label(of: document))
                return object
            })
    ]

    private static func cleaned(_ text: String) -> String {
        let marked = text.stripped.replacing(" [title]", with: ". ", count: -1)
        return withoutBrackets(marked).replacing("  ", with: " ", count: -1)
    }

    /// Python's `re.sub(r"\[.*?\]", "", text)`: every shortest pair of brackets on one line.
    private static func withoutBrackets(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let open = rest.firstIndex(of: "[") {
            result.append(contentsOf: rest[..<open])
            let inside = rest[rest.index(after: open)...]
            if let end = inside.firstIndex(where: { $0 == "]" || $0 == "\n" }), inside[end] == "]" {
                rest = inside[inside.index(after: end)...]
            } else {
                result.append("[")
                rest = inside
            }
        }
        result.append(contentsOf: rest)
        return String(result)
    }

    /// Python's `int(label)`.
    private static func label(of document: Document) throws -> Int {
        let value = try document.fields.value("label")
        if let number = value.asInteger { return number }
        if let text = value.stringValue, let number = Int(text.stripped) { return number }
        throw EvaluationError.value(
            place: document.place, task: "hellaswag", field: "label",
            found: value.stringValue.map { quoted($0) } ?? value.kind, expected: "an integer")
    }
}

/// One question about an article.
private struct RaceProblem {
    let question: String
    let options: [String]
    /// The place of the answer among the options.
    let answer: Int

    var reply: String { options[answer] }

    /// The problems of a document: a Python literal in a text, as in the harness's copy of RACE.
    static func all(of document: Document) throws -> [RaceProblem] {
        func failure(_ problem: String) -> EvaluationError {
            .document(place: document.place, task: "race", problem: problem)
        }
        let literal: JSONValue
        do {
            literal = try JSONValue(PythonLiteral.parse(try document.fields.string("problems")))
        } catch let error as PythonLiteral.Failure {
            throw failure(
                "field 'problems' is no Python literal: character \(error.character): "
                    + error.problem)
        }
        guard let items = literal.arrayValue, !items.isEmpty else {
            throw failure("field 'problems' is no list of questions, expected at least one")
        }
        return try items.enumerated().map { index, item in
            guard let object = item.objectValue else {
                throw failure("question \(index + 1) is \(item.kind), expected a mapping")
            }
            let fields = JSONFields(object, place: "\(document.place): question \(index + 1)")
            let (options, letter) = (try fields.strings("options"), try fields.string("answer"))
            guard let answer = ["A", "B", "C", "D"].firstIndex(of: letter) else {
                throw failure(
                    "question \(index + 1) has the answer \(quoted(letter)), expected A to D")
            }
            guard options.count >= 4 else {
                throw failure("question \(index + 1) has \(options.count) options, expected 4")
            }
            return RaceProblem(
                question: try fields.string("question"), options: options, answer: answer)
        }
    }

    /// Whether the question ends in a gap that the answer fills.
    var endsInGap: Bool { question.unicodeScalars.suffix(6).elementsEqual("  _  .".unicodeScalars) }
}

extension NativeFunction {
    /// RACE: the last question of an article is asked, those before stand answered.
    static let race = [
        race("preprocess_race.doc_to_text") { document in
            // One blank of the gap stays.
            try text(of: document) { $0.slice(0, $0.scalarCount - 5) }
        },
        race("race_v2.doc_to_text") { document in
            try text(of: document) { $0.slice($0.scalarCount - 5) }
        },
        race("preprocess_race.doc_to_choice") { document in
            let problems = try RaceProblem.all(of: document)
            return .array(problems[problems.count - 1].options.prefix(4).map { .string($0) })
        },
        race("preprocess_race.doc_to_target") { document in
            let problems = try RaceProblem.all(of: document)
            return .integer(problems[problems.count - 1].answer)
        },
    ]

    private static func race(
        _ name: String, _ body: @escaping @Sendable (Document) throws -> JSONValue
    ) -> NativeFunction {
        NativeFunction(
            name: name, home: "",
            python: "15778ab69ca3b96c3d82618500ad59702ff7ea9dbf09e90e4505abc16ac53ad0",
            body: .field(body))
    }

    private static func text(
        of document: Document, gap: (String) -> String
    ) throws -> JSONValue {
        let problems = try RaceProblem.all(of: document)
        var text = "Article: " + (try document.fields.string("article")) + "\n\n"
        for problem in problems.dropLast() {
            text +=
                problem.endsInGap
                ? gap(problem.question) + problem.reply + "\n"
                : "Question: \(problem.question)\nAnswer: \(problem.reply)\n"
        }
        return .string(text + problems[problems.count - 1].question)
    }
}

extension NativeFunction {
    /// WSC: the pronoun is marked in the passage, and the question names pronoun and noun.
    static let wsc = [
        NativeFunction(
            name: "preprocess_wsc.default_doc_to_text", home: "",
            python: "af369d50024ef69d607630f79c70669b15d0501f3800be9ee46c98bb605d43fa",
            body: .field { document in
                let fields = document.fields
                let text = try fields.string("text")
                let (noun, pronoun) = (
                    try fields.string("span1_text"), try fields.string("span2_text")
                )
                let index = try fields.integer("span2_index")
                // Spans count words.
                let words = text.splitAtSpaces(limit: -1)
                let before =
                    (index < 0
                    ? words.dropLast(Int(clamping: index.magnitude)) : words.prefix(index))
                    .joined(separator: " ")
                let after = text.slice(before.scalarCount + pronoun.scalarCount + 1)
                let passage = detokenized("\(before) *\(pronoun)*\(after)")
                return .string(
                    "Passage: \(passage)\nQuestion: In the passage above, does the pronoun "
                        + "\"*\(pronoun)*\" refer to \"*\(noun)*\"?\nAnswer:")
            })
    ]

    private static func detokenized(_ text: String) -> String {
        let pairs = [
            (" n't", "n't"), (" )", ")"), ("( ", "("), ("\" ", "\""), (" \"", "\""),
        ]
        let text = pairs.reduce(text) { $0.replacing($1.0, with: $1.1, count: -1) }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            // A blank before one of these marks goes; one mark takes one blank.
            if "'.,".unicodeScalars.contains(scalar), result.last == " " { result.removeLast() }
            result.append(scalar)
        }
        return String(result)
    }
}

extension NativeFunction {
    /// WSC273: options in the form that fits the pronoun's place.
    static let wsc273 = [
        NativeFunction(
            name: "utils.process_doc", home: "wsc273",
            python: "2c295d37e8d75f58a5ce948839d20cb9971d1c0d7627878291bebd4584c63507",
            body: .document { document in
                let fields = document.fields
                let text = try fields.string("text").replacing("  ", with: " ", count: -1)
                let options = try fields.strings("options")
                guard options.count >= 2 else {
                    throw EvaluationError.value(
                        place: document.place, task: "wsc273", field: "options",
                        found: "\(options.count) texts", expected: "2")
                }
                let form = OptionForm(
                    pronoun: try fields.string("pronoun").pythonLowercase,
                    beginsSentence: try beginsSentence(
                        text, at: try fields.integer("pronoun_loc"), document))
                var object = document.object
                object["text"] = .string(text)
                object["options"] = .array(
                    try options.enumerated().map { index, option in
                        .string(index < 2 ? try form.apply(to: option, document) : option)
                    })
                return object
            })
    ]

    /// Whether the character two before the pronoun is a full stop; places before the text count
    /// from its end, as in Python.
    private static func beginsSentence(
        _ text: String, at location: Int, _ document: Document
    ) throws -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard (2 - scalars.count..<2 + scalars.count).contains(location) else {
            throw EvaluationError.value(
                place: document.place, task: "wsc273", field: "pronoun_loc",
                found: "\(location)", expected: "a place in the text of \(scalars.count) characters"
            )
        }
        let place = location - 2
        return scalars[place < 0 ? place + scalars.count : place] == "."
    }

    private struct OptionForm {
        let pronoun: String
        let beginsSentence: Bool

        func apply(to option: String, _ document: Document) throws -> String {
            let isPossessive = ["my", "his", "her", "our", "their"].contains(pronoun)
            let option = isPossessive ? option + "'s" : option
            guard let first = option.splitAtSpaces(limit: -1).first else {
                throw EvaluationError.value(
                    place: document.place, task: "wsc273", field: "options", found: "blank",
                    expected: "text")
            }
            let upper = [
                "A", "An", "The", "She", "He", "It", "They", "My", "His", "Her", "Their",
            ]
            guard !beginsSentence, upper.contains(first) else { return option }
            return option.replacing(first, with: first.lowercased(), count: -1)
        }
    }
}

extension NativeFunction {
    /// WikiText: articles in ordinary spelling; words and bytes are counted on the original.
    static let wikiText = [
        NativeFunction(
            name: "preprocess_wikitext.wikitext_detokenizer", home: "", python: wikiTextPython,
            body: .field { .string(wikiText(detokenizing: try $0.fields.string("page"))) }),
        NativeFunction(
            name: "preprocess_wikitext.process_results", home: "", python: wikiTextPython,
            body: .results { document, logLikelihood in
                let page = try document.fields.string("page")
                let (words, bytes) = (page.whiteSpacePieces, page.utf8.count)
                return [
                    (.wordPerplexity, .weighted(logLikelihood, weight: words)),
                    (.bytePerplexity, .weighted(logLikelihood, weight: bytes)),
                    (.bitsPerByte, .weighted(logLikelihood, weight: bytes)),
                ]
            }),
    ]

    private static let wikiTextPython =
        "a44020374b172159bf5be80a64d2c4194c9d5c77284f696ac666361338c8da7d"

    private static func wikiText(detokenizing page: String) -> String {
        func replace(_ text: String, _ pairs: [(String, String)]) -> String {
            pairs.reduce(text) { $0.replacing($1.0, with: $1.1, count: -1) }
        }
        var text = replace(
            page,
            [
                ("s '", "s'"), (" @-@ ", "-"), (" @,@ ", ","), (" @.@ ", "."), (" : ", ": "),
                (" ; ", "; "), (" . ", ". "), (" ! ", "! "), (" ? ", "? "), (" , ", ", "),
            ])
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("\"", "\""), ("'", "'")]
            as [(Unicode.Scalar, Unicode.Scalar)]
        {
            text = tightened(text, open, close)
        }
        return replace(
            text,
            [
                ("= = = =", "===="), ("= = =", "==="), ("= =", "=="), (" ° ", "°"), (" \n", "\n"),
                ("\n ", "\n"), (" N ", " 1 "), (" 's", "'s"),
            ])
    }

    /// Drops white space just inside pairs of marks, from left to right.
    ///
    /// A pair is an opening mark and the next closing one; what lies between may hold further opening
    /// marks. In the harness: `re.sub(r"\(\s*([^\)]*?)\s*\)", r"(\1)", text)`.
    private static func tightened(
        _ text: String, _ open: Unicode.Scalar, _ close: Unicode.Scalar
    ) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let start = rest.firstIndex(of: open) {
            let inside = rest[rest.index(after: start)...]
            guard let end = inside.firstIndex(of: close) else { break }
            result.append(contentsOf: rest[...start])
            let content = inside[..<end].drop(while: \.isPythonSpace)
            if let last = content.lastIndex(where: { !$0.isPythonSpace }) {
                result.append(contentsOf: content[...last])
            }
            result.append(close)
            rest = inside[inside.index(after: end)...]
        }
        result.append(contentsOf: rest)
        return String(result)
    }
}

extension NativeFunction {
    /// Winogrande: both options fill the gap in turn, in the context; what follows is scored.
    static let winogrande = [
        winogrande("doc_to_text") { document in
            switch try document.fields.string("answer") {
            case "1": 0
            case "2": 1
            case let other:
                throw EvaluationError.value(
                    place: document.place, task: "winogrande", field: "answer",
                    found: quoted(other), expected: "'1' or '2'")
            }
        },
        winogrande("doc_to_choice") { document in
            let (sentence, gap) = try gap(of: document)
            return .array(
                try ["option1", "option2"].map {
                    .string(sentence.slice(0, gap) + (try document.fields.string($0)))
                })
        },
        winogrande("doc_to_target") { document in
            let (sentence, gap) = try gap(of: document)
            return .string(sentence.slice(gap + 1).stripped)
        },
    ]

    private static func winogrande(
        _ name: String, _ body: @escaping @Sendable (Document) throws -> JSONValue
    ) -> NativeFunction {
        NativeFunction(
            name: "preprocess_winogrande.\(name)", home: "",
            python: "e55327629264a98f1d383fda24645b6779afb53fa0bce2150042b9416b1ae006",
            body: .field(body))
    }

    private static func gap(of document: Document) throws -> (sentence: String, gap: Int) {
        let sentence = try document.fields.string("sentence")
        guard let gap = sentence.unicodeScalars.firstIndex(of: "_") else {
            throw EvaluationError.document(
                place: document.place, task: "winogrande",
                problem: "field 'sentence' has no '_', expected one")
        }
        let scalars = sentence.unicodeScalars
        return (sentence, scalars.distance(from: scalars.startIndex, to: gap))
    }
}
