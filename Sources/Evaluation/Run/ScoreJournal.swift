import Storage

/// Keeps the score of every request as soon as it is known, so that a run can go on after a stop.
///
/// Answers that a model wrote are kept as `"answers": […]` in the place of a score. A file of JSON lines: `{"task": …, "doc": …, "request": …, "window": …, "run": …, "tokens": …,
/// "engine": …, "loglikelihood": …, "is_greedy": …, "check": …}`. `run` is a hash of all that a score depends
/// on but the request; `tokens` is a hash of the request's token ids. A score is taken again only where both
/// are the same, so that a changed model, prompt or tokenizer is never mixed up with old scores. `engine` says
/// what computed it, which decides the last digits. `check` is a hash of the line without it: a line that was
/// cut off or changed is passed over and counted.
///
/// Lines are only ever added, so no run takes another one's scores away.
public final class ScoreJournal {
    /// Whose score is kept.
    struct Place {
        var task: String
        var document: Int
        var request: Int
        var window: Int
    }

    /// The file.
    public let path: String
    /// What computes scores now.
    public let engine: String
    /// Lines that could not be read.
    public private(set) var damagedLines = 0
    /// Scores of this very run that are there and not used.
    public private(set) var unusedScores = 0
    private let run: String
    private var content: ScoreJournalContent
    private let appender: LineAppender
    private let writer = JSONWriter(escapesNonASCII: false)

    /// Opens a journal, or begins one.
    ///
    /// - Parameters:
    ///   - path: The file; its folder must exist.
    ///   - identity: Says which model with which topology, length limit and precision makes the scores.
    ///   - engine: What else decides their last digits.
    ///   - resuming: Whether scores that are there are used.
    /// - Throws: `FileError`, or ``EvaluationError`` if the file is something else.
    public init(path: String, identity: JSONValue, engine: String, resuming: Bool) throws {
        self.path = path
        self.engine = engine
        run = String(
            SHA256.hexadecimal(of: JSONWriter(sortsKeys: true).string(identity)).prefix(16))
        content = ScoreJournalContent(run: run, engine: engine)
        if FilePath.exists(path) { try content.read(path) }
        // Ends a line that was cut off, so that new ones stand on lines of their own.
        appender = try LineAppender(path: path)
        if resuming {
            damagedLines = content.damagedLines
        } else {
            unusedScores = content.known.count
            content = ScoreJournalContent(run: run, engine: engine)
        }
    }

    /// The hash by which a request is known.
    static func key(_ request: ScoringRequest, isPrompt: Bool) -> String {
        let text =
            (isPrompt ? "tree " : "") + request.context.map(String.init).joined(separator: ",")
            + ">" + request.continuation.map(String.init).joined(separator: ",")
        return String(SHA256.hexadecimal(of: text).prefix(32))
    }

    /// The hash by which answers to a prompt are known.
    static func key(
        _ tokens: [Int32], _ arguments: JSONObject, count: Int, seed: UInt64, isPrompt: Bool
    ) -> String {
        let text =
            (isPrompt ? "tree " : "") + tokens.map(String.init).joined(separator: ",")
            + ">\(count) \(seed) " + JSONWriter(sortsKeys: true).string(.object(arguments))
        return String(SHA256.hexadecimal(of: text).prefix(32))
    }

    /// The score of a request, nil if it is not known.
    func score(of key: String) -> TaskResult.Response? { content.known[key] }

    /// What computed the score of a request, if that is another engine than now.
    func otherEngine(of key: String) -> String? { content.otherEngines[key] }

    /// Keeps a score.
    func keep(_ score: TaskResult.Response, of key: String, at place: Place) throws {
        content.known[key] = score
        var object: JSONObject = [
            "task": .string(place.task), "doc": .integer(place.document),
            "request": .integer(place.request), "window": .integer(place.window),
            "run": .string(run), "tokens": .string(key), "engine": .string(engine),
        ]
        if score.texts.isEmpty {
            object["loglikelihood"] = .number(score.logLikelihood)
            object["is_greedy"] = .bool(score.isGreedy)
        } else {
            object["answers"] = .array(score.texts.map { .string($0) })
        }
        try appender.append(ScoreJournalContent.checked(writer.string(.object(object))))
    }
}

extension ScoreJournal {
    /// What the user should know about what was found.
    var warnings: [String] {
        var warnings: [String] = []
        if damagedLines > 0 {
            warnings.append(
                "\(quotedPath(path)): passed over \(damagedLines) damaged "
                    + "line\(damagedLines == 1 ? "" : "s"); what they scored is scored again")
        }
        if unusedScores > 0 {
            warnings.append(
                "\(quotedPath(path)): holds \(unusedScores) score\(unusedScores == 1 ? "" : "s") of this "
                    + "very run, which are computed again; --resume takes them")
        }
        return warnings
    }

    /// A warning where scores are taken that another engine computed; `nil` if none are.
    func warning(aboutEnginesOf keys: [String], task: String) -> String? {
        let others = keys.compactMap { otherEngine(of: $0) }
        guard let first = others.first else { return nil }
        return "task \(quoted(task)): \(others.count) of \(keys.count) scores were computed by "
            + "\(quoted(first)), this is \(quoted(engine)); the last digits may differ, without "
            + "--resume all are computed again"
    }
}

/// What the lines of a journal say about one run.
struct ScoreJournalContent {
    /// The scores of the run by the hashes of requests.
    var known: [String: TaskResult.Response] = [:]
    /// What computed them, where it is another engine.
    private(set) var otherEngines: [String: String] = [:]
    /// Lines that could not be read.
    private(set) var damagedLines = 0
    private let run: String
    private let engine: String

    /// Knows nothing yet.
    init(run: String, engine: String) {
        self.run = run
        self.engine = engine
    }

    /// Reads a file.
    ///
    /// - Throws: `FileError`, or ``EvaluationError`` if it holds something, but no line of a journal.
    mutating func read(_ path: String) throws {
        let reader = try LineReader(path: path)
        var (isEmpty, isJournal) = (true, false)
        while let line = try Self.next(of: reader) {
            isEmpty = false
            isJournal = isJournal || line.starts(with: "{\"task\": ".utf8)
            if !add(line) { damagedLines += 1 }
        }
        guard isEmpty || isJournal else {
            throw EvaluationError.results(
                file: path,
                problem: "holds no scores, expected a journal of them; move it away or choose "
                    + "another --output-path")
        }
    }

    /// The bytes of the next line, none if it is no text; `nil` at the end.
    private static func next(of reader: LineReader) throws -> [UInt8]? {
        do {
            return try reader.next()?.bytes
        } catch FileError.notUTF8 {
            return []
        }
    }

    /// Takes a line up; false if it is damaged.
    private mutating func add(_ line: [UInt8]) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        let options = JSONOptions(allowsNonFinite: true)
        guard let value = try? JSONValue(parsing: text, file: "", options: options),
            let run = value["run"]?.stringValue, let tokens = value["tokens"]?.stringValue
        else { return false }
        let texts = value["answers"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let likelihood = value["loglikelihood"]?.numberValue
        let isGreedy = value["is_greedy"]?.boolValue
        guard !texts.isEmpty || (likelihood != nil && isGreedy != nil) else { return false }
        // Lines of older versions have no check; their runs are never this one.
        guard let engine = value["engine"]?.stringValue, value["check"] != nil else { return true }
        guard Self.isWhole(text) else { return false }
        guard run == self.run else { return true }
        known[tokens] = TaskResult.Response(
            logLikelihood: likelihood ?? 0, isGreedy: isGreedy ?? false, texts: texts)
        otherEngines[tokens] = engine == self.engine ? nil : engine
        return true
    }

    private static let check = (start: ", \"check\": \"", digits: 16, end: "\"}")

    /// A line with its check.
    static func checked(_ text: String) -> String {
        text.dropLast() + check.start + XXH64.text(of: XXH64.hash(text)) + check.end
    }

    /// Whether a line has the check that belongs to it.
    private static func isWhole(_ text: String) -> Bool {
        let length = check.start.utf8.count + check.digits + check.end.utf8.count
        let text = text.utf8
        guard text.count > length, let body = String(text.dropLast(length)) else { return false }
        return checked(body + "}").utf8.elementsEqual(text)
    }
}
