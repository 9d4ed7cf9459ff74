import Storage

/// Keeps the score of every request as soon as it is known, so that a run can go on after a stop.
///
/// A file of JSON lines: `{"task": …, "doc": …, "request": …, "window": …, "run": …, "tokens": …,
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
        (self.path, self.engine) = (path, engine)
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

    /// The score of a request, nil if it is not known.
    func score(of key: String) -> TaskResult.Response? { content.known[key] }

    /// What computed the score of a request, if that is another engine than now.
    func otherEngine(of key: String) -> String? { content.otherEngines[key] }

    /// Keeps a score.
    func keep(_ score: TaskResult.Response, of key: String, at place: Place) throws {
        content.known[key] = score
        let line = writer.string([
            "task": .string(place.task), "doc": .integer(place.document),
            "request": .integer(place.request), "window": .integer(place.window),
            "run": .string(run), "tokens": .string(key), "engine": .string(engine),
            "loglikelihood": .number(score.logLikelihood), "is_greedy": .bool(score.isGreedy),
        ])
        try appender.append(ScoreJournalContent.checked(line))
    }
}
