import Python
import RegularExpressions
import Storage

/// Several filters in a row, which make of all answers of a task what its metrics see.
struct FilterPipeline: Sendable {
    /// The name, by which figures are told apart.
    let name: String
    let filters: [ResponseFilter]

    /// What counts where a task names no filters.
    static let standard = FilterPipeline(name: "none", filters: [.takeFirst])

    /// Whether it is ``standard`` but for its name.
    var onlyTakesFirst: Bool { filters.count == 1 && filters[0].isTakeFirst }

    /// Filters the answers to all requests.
    ///
    /// - Parameters:
    ///   - answers: One value a request: the list of its answers.
    ///   - documents: The documents of the requests.
    /// - Returns: One value a request.
    /// - Throws: ``EvaluationError``, ``PythonError``, or an error of a regular expression.
    func callAsFunction(_ answers: [JSONValue], _ documents: [Document]) throws -> [JSONValue] {
        try filters.reduce(answers) { try $1($0, documents) }
    }

    /// The pipelines of a task, of equal names the last.
    static func all(_ keys: TaskKeys) throws(TaskError) -> [FilterPipeline] {
        guard let list = try keys.objects(ifPresent: "filter_list") else { return [standard] }
        var pipelines: [FilterPipeline] = []
        for item in list {
            var filters: [ResponseFilter] = []
            for filter in try item.objects(ifPresent: "filter") ?? [] {
                filters.append(try ResponseFilter(filter))
            }
            let pipeline = FilterPipeline(name: try item.string("name"), filters: filters)
            if let place = pipelines.firstIndex(where: { $0.name == pipeline.name }) {
                pipelines[place] = pipeline
            } else {
                pipelines.append(pipeline)
            }
        }
        return pipelines.isEmpty ? [standard] : pipelines
    }
}

/// A filter of answers.
///
/// Source: lm-evaluation-harness 0.4.13, `filters/extraction.py`, `selection.py`, `transformation.py` and
/// `custom.py`.
enum ResponseFilter: Sendable {
    /// What a regular expression finds.
    struct Regex: Sendable {
        var expression: RegularExpression
        var group: Int
        var fallback: JSONValue
        var ignoresCase = false
        var ignoresPunctuation = false
        var ignored: [RegularExpression] = []
    }

    case regex(Regex)
    case multipleChoiceRegex(Regex)
    case partsOfSpeech(fallback: JSONValue)
    case removeWhiteSpace
    case takeFirst
    case takeFirstK(Int)
    case majorityVote
    case lowercase
    case uppercase
    case map([(key: JSONValue, value: JSONValue)], otherwise: JSONValue)
    case formatSpan
    case custom(PythonFunction, keywords: JSONObject)

    fileprivate var isTakeFirst: Bool { if case .takeFirst = self { true } else { false } }

    private static let names = [
        "custom", "format_span", "lowercase", "majority_vote", "map", "multi_choice_regex", "regex",
        "regex_pos", "remove_whitespace", "take_first", "take_first_k", "uppercase",
    ]

    init(_ keys: TaskKeys) throws(TaskError) {
        if keys["function"]?.functionName != nil {
            let function = try keys.pythonFunction(ifPresent: "function", what: "the filter")
            var keywords = keys.keys
            keywords["function"] = nil
            guard let function else { throw .missingKey(file: keys.file, key: "function") }
            self = .custom(function, keywords: keywords)
            return
        }
        switch try keys.string("function") {
        case "regex": self = .regex(try Regex(keys))
        case "multi_choice_regex": self = .multipleChoiceRegex(try Regex(keys))
        case "regex_pos": self = .partsOfSpeech(fallback: keys["fallback"] ?? ["invalid"])
        case "remove_whitespace": self = .removeWhiteSpace
        case "take_first": self = .takeFirst
        case "take_first_k":
            guard let count = try keys.integer(ifPresent: "k") else {
                throw .missingKey(file: keys.file, key: keys.path(of: "k"))
            }
            self = .takeFirstK(count)
        case "majority_vote": self = .majorityVote
        case "lowercase": self = .lowercase
        case "uppercase": self = .uppercase
        case "map":
            let members = try keys.object(ifPresent: "mapping_dict")?.keys.members ?? []
            self = .map(
                members.map { (.string($0.key), $0.value) },
                otherwise: keys["default_value"] ?? .null)
        case "format_span": self = .formatSpan
        case "custom":
            guard
                let function = try keys.pythonFunction(
                    ifPresent: "filter_fn", what: "the filter")
            else { throw .missingKey(file: keys.file, key: keys.path(of: "filter_fn")) }
            self = .custom(function, keywords: [:])
        case let other:
            throw .choice(
                file: keys.file, key: keys.path(of: "function"), found: other,
                expected: ResponseFilter.names)
        }
    }

    /// Filters the answers to all requests, one list each.
    func callAsFunction(_ answers: [JSONValue], _ documents: [Document]) throws -> [JSONValue] {
        switch self {
        case .takeFirst:
            return try zip(answers, documents).map { answer, document in
                guard let first = try Self.items(answer, document).first else {
                    throw Self.failure(document, "there is no answer to take")
                }
                return first
            }
        case .takeFirstK(let count):
            return try zip(answers, documents).map { answer, document in
                let items = try Self.items(answer, document)
                guard items.count >= count else {
                    throw Self.failure(
                        document,
                        "the filter 'take_first_k' found \(items.count) answers, expected at least "
                            + "\(count); raise 'repeats'")
                }
                return .array(Array(items.prefix(count)))
            }
        case .majorityVote:
            return try zip(answers, documents).map { answer, document in
                var counts: [(value: JSONValue, count: Int)] = []
                for item in try Self.items(answer, document) {
                    if let place = counts.firstIndex(where: { $0.value.equalsInPython(item) }) {
                        counts[place].count += 1
                    } else {
                        counts.append((item, 1))
                    }
                }
                let most = counts.map(\.count).max()
                return .array(counts.first { $0.count == most }.map { [$0.value] } ?? [])
            }
        case .custom(let function, let keywords):
            let filtered = try function.ask(
                "filter", [.array(answers), .array(documents.map { .object($0.object) })],
                keywords: keywords)
            guard let values = filtered.arrayValue, values.count == answers.count else {
                throw PythonError.rubbish(
                    interpreter: function.runner.interpreter, function: function.name)
            }
            return values
        case .multipleChoiceRegex(let regex):
            return try zip(answers, documents).map { answer, document in
                let finder = try ChoiceFinder(regex, document)
                return .array(try Self.items(answer, document).map(finder.answer))
            }
        default:
            return try zip(answers, documents).map { answer, document in
                .array(try Self.items(answer, document).map { try filtered($0, document) })
            }
        }
    }

    /// Filters one answer.
    private func filtered(_ answer: JSONValue, _ document: Document) throws -> JSONValue {
        switch self {
        case .regex(let regex):
            guard case .text(let found) = try regex.find(in: answer.stringValue ?? "") else {
                return regex.fallback
            }
            return .string(found.stripped)
        case .partsOfSpeech(let fallback):
            let pattern = try RegularExpression(#"\('([^']*)', '([^']*)'\)"#)
            let text = answer.stringValue ?? ""
            let tags = try pattern.groups(in: text).map { JSONValue.string($0[1]) }
            return tags.isEmpty ? fallback : .array(tags)
        case .map(let pairs, let otherwise):
            return pairs.last { $0.key.equalsInPython(answer) }?.value ?? otherwise
        case .removeWhiteSpace: return .string(try Self.text(answer, document).stripped)
        case .lowercase: return .string(try Self.text(answer, document).pythonLowercase)
        case .uppercase: return .string(try Self.text(answer, document).pythonUppercase)
        case .formatSpan: return .string(try SpanFormat.format(try Self.text(answer, document)))
        case .takeFirst, .takeFirstK, .majorityVote, .custom, .multipleChoiceRegex: return answer
        }
    }

    private static func text(_ answer: JSONValue, _ document: Document) throws -> String {
        guard let text = answer.stringValue else {
            throw failure(document, "a filter of texts found \(answer.kind)")
        }
        return text
    }

    /// What Python's `for` goes through: the items of a list, or the characters of a text.
    private static func items(_ answer: JSONValue, _ document: Document) throws -> [JSONValue] {
        if let items = answer.arrayValue ?? answer["!tuple"]?.arrayValue { return items }
        guard let text = answer.stringValue else {
            throw failure(document, "a filter of answers found \(answer.kind)")
        }
        return text.unicodeScalars.map { .string(String($0)) }
    }

    private static func failure(_ document: Document, _ problem: String) -> EvaluationError {
        .filter(place: document.place, problem: problem)
    }
}

extension ResponseFilter.Regex {
    /// What a search comes to.
    enum Found {
        /// Nothing matches.
        case nothing
        /// All groups of the match are empty.
        case emptyGroups
        case text(String)
    }

    init(_ keys: TaskKeys) throws(TaskError) {
        func compiled(_ pattern: String, _ key: String) throws(TaskError) -> RegularExpression {
            do {
                return try RegularExpression(pattern)
            } catch {
                throw .template(file: keys.file, key: keys.path(of: key), problem: "\(error)")
            }
        }
        expression = try compiled(
            try keys.string(ifPresent: "regex_pattern") ?? #"#### (\-?[0-9\.\,]+)"#,
            "regex_pattern")
        group = 0
        if let value = keys["group_select"] {
            guard let number = value.integerValue else {
                throw keys.failure("group_select", value, expected: "an integer")
            }
            group = number
        }
        fallback = keys["fallback"] ?? "[invalid]"
        ignoresCase = try keys.bool(ifPresent: "ignore_case") ?? false
        ignoresPunctuation = try keys.bool(ifPresent: "ignore_punctuation") ?? false
        for pattern in try keys.strings("regexes_to_ignore") {
            ignored.append(try compiled(pattern, "regexes_to_ignore"))
        }
    }

    /// The match that is selected, not yet stripped.
    func find(in text: String, with other: RegularExpression? = nil) throws -> Found {
        let matches = try (other ?? expression).groups(in: text)
        guard !matches.isEmpty else { return .nothing }
        let place = group < 0 ? group + matches.count : group
        guard matches.indices.contains(place) else {
            throw RegularExpressionError.failed(
                "'group_select' is \(group), found \(matches.count) matches")
        }
        let groups = matches[place]
        if groups.count == 1 { return .text(groups[0]) }
        return groups.first { !$0.isEmpty }.map { .text($0) } ?? .emptyGroups
    }
}

extension RegularExpression {
    /// Steps that one search may take; some seconds at most.
    private static let steps = 50_000_000

    /// Python's `re.findall`: of each match the groups, or the whole where there are none.
    func groups(in text: String) throws -> [[String]] {
        let bytes = Array(text.utf8)
        var steps = 0
        return try matches(
            in: text,
            charge: { count in
                steps += count
                guard steps <= Self.steps else {
                    throw RegularExpressionError.tooMuch(
                        "steps of a regular expression", limit: Self.steps)
                }
            }
        ).map { match in
            let ranges = match.groups.count > 1 ? match.groups.dropFirst() : match.groups[...]
            return ranges.map { String(decoding: bytes[$0 ?? 0..<0], as: UTF8.self) }
        }
    }

    /// Python's `re.sub` with nothing in the place of matches.
    func removing(from text: String) throws -> String {
        var steps = 0
        return try replacing(
            in: text, with: "",
            charge: { count in
                steps += count
                guard steps <= Self.steps else {
                    throw RegularExpressionError.tooMuch(
                        "steps of a regular expression", limit: Self.steps)
                }
            })
    }
}

/// Finds which of a document's choices an answer names.
private struct ChoiceFinder {
    private let regex: ResponseFilter.Regex
    private let choices: RegularExpression
    private let letters: RegularExpression
    private let lettersOfChoices: [String: String]
    private let lettersThemselves: [String: String]

    init(_ regex: ResponseFilter.Regex, _ document: Document) throws {
        self.regex = regex
        var texts: [String] = []
        var (ofChoices, themselves): ([String: String], [String: String]) = ([:], [:])
        for (number, choice) in try document.fields.strings("choices").enumerated() {
            let letter = Unicode.Scalar(UInt32(65 + min(number, 1000))).map { String($0) } ?? "?"
            let text = try Self.cleaned(choice.stripped, regex)
            texts.append(text)
            ofChoices[text] = "(\(letter))"
            themselves[letter] = "(\(letter))"
        }
        func escaped(_ text: String) -> String {
            var result = ""
            for scalar in text.unicodeScalars {
                if "()[]{}?*+-|^$\\.&~# \t\n\r\u{0B}\u{0C}".unicodeScalars.contains(scalar) {
                    result += "\\"
                }
                result.unicodeScalars.append(scalar)
            }
            return result
        }
        let patterns = texts.map(escaped).enumerated().sorted {
            ($1.element.scalarCount, $0.offset) < ($0.element.scalarCount, $1.offset)
        }
        choices = try RegularExpression(patterns.map(\.element).joined(separator: "|"))
        let names = texts.indices.map {
            escaped(Unicode.Scalar(UInt32(65 + min($0, 1000))).map { String($0) } ?? "?")
        }
        letters = try RegularExpression(#":[\s]*("# + names.joined(separator: "|") + ")")
        (lettersOfChoices, lettersThemselves) = (ofChoices, themselves)
    }

    private static func cleaned(_ text: String, _ regex: ResponseFilter.Regex) throws -> String {
        var text = text
        for pattern in regex.ignored { text = try pattern.removing(from: text) }
        if regex.ignoresCase { text = text.pythonLowercase }
        if regex.ignoresPunctuation {
            text = String(scalars: text.unicodeScalars.filter { !$0.isPunctuation })
        }
        return text
    }

    func answer(_ answer: JSONValue) throws -> JSONValue {
        let text = answer.stringValue ?? ""
        func found(
            _ expression: RegularExpression?, _ text: String, _ names: [String: String]
        ) throws -> String? {
            guard case .text(let match) = try regex.find(in: text, with: expression) else {
                return nil
            }
            let stripped = match.stripped
            return stripped.isEmpty ? nil : names[stripped] ?? stripped
        }
        let match =
            try found(nil, text, [:])
            ?? found(choices, try Self.cleaned(text, regex), lettersOfChoices)
            ?? found(letters, text, lettersThemselves)
        return match.map { .string($0) } ?? regex.fallback
    }
}

extension Unicode.Scalar {
    /// Whether Python's category of the character begins with P.
    fileprivate var isPunctuation: Bool {
        switch properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation:
            true
        default: false
        }
    }
}

/// Named entities as `label: value $ label: value`.
private enum SpanFormat {
    private static let labels = [
        ("person", "PER"), ("location", "LOC"), ("organization", "ORG"), ("counties", "LOC"),
        ("places", "LOC"), ("people", "PER"), ("persons", "PER"), ("company", "ORG"),
        ("country", "LOC"), ("continent", "LOC"), ("time", "DATE"), ("date", "DATE"),
        ("per", "PER"), ("loc", "LOC"), ("org", "ORG"),
    ]

    static func format(_ answer: String) throws -> String {
        var text = answer.pythonLowercase
        for (key, label) in labels {
            text = try RegularExpression("\\b\(key)\\s*:").replacing(in: text, with: "\(label):")
        }
        text = text.replacing("$$", with: "$", count: -1).trimmed(trailing: true, of: "$")
        text = text.replacing("\n", with: "$", count: -1).stripped
        let entities = try RegularExpression(#"\b(PER|LOC|ORG|DATE):\s*([^$]+)"#).groups(in: text)
        return entities.flatMap { groups in
            groups[1].split(separator: ",", omittingEmptySubsequences: false)
                .map { String($0).stripped }
                .filter { $0.pythonLowercase != "none" }
                .map { "\(groups[0].pythonLowercase): \($0)" }
        }.joined(separator: " $ ")
    }
}
