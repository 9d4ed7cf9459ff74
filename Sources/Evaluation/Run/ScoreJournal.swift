import Storage

/// Keeps the score of every request as soon as it is known, so that a run can go on after a stop.
///
/// A file of JSON lines: `{"task": …, "doc": …, "request": …, "window": …, "run": …, "tokens": …,
/// "loglikelihood": …, "is_greedy": …}`. `run` is a fingerprint of all that a score depends on but the
/// request; `tokens` is a hash of the request's token ids. A score is taken again only where both are
/// the same, so that a changed model, prompt or tokenizer is never mixed up with old scores. A last
/// line that a crash cut off is passed over.
public final class ScoreJournal {
    /// The score of a request as the journal keeps it.
    struct Score: Equatable {
        var logLikelihood: Double
        var isGreedy: Bool
    }

    /// Whose score is kept.
    struct Place {
        var task: String
        var document: Int
        var request: Int
        var window: Int
    }

    /// The file.
    public let path: String
    /// Lines that could not be read.
    public private(set) var damagedLines = 0
    private let run: String
    private var known: [String: Score] = [:]
    private let appender: LineAppender
    private let writer = JSONWriter(escapesNonASCII: false)

    /// Opens a journal, or begins one.
    ///
    /// - Parameters:
    ///   - path: The file; its folder must exist.
    ///   - fingerprint: Says which model in which precision with which topology and length limit
    ///     makes the scores.
    ///   - resuming: Whether scores that are there are used; otherwise the file begins anew.
    /// - Throws: `FileError`.
    public init(path: String, fingerprint: JSONValue, resuming: Bool) throws {
        self.path = path
        run = String(
            SHA256.hexadecimal(of: JSONWriter(sortsKeys: true).string(fingerprint)).prefix(16))
        let exists = FilePath.exists(path)
        if exists, !resuming { try AtomicFile.write("", to: path) }
        // Ends a line that was cut off, so that new ones stand on lines of their own.
        appender = try LineAppender(path: path)
        if exists, resuming {
            let reader = try LineReader(path: path)
            while let line = try reader.next() { read(line) }
        }
    }

    private func read(_ line: LineReader.Line) {
        guard
            let value = try? JSONValue(
                parsing: line.bytes, file: path, firstLine: line.number,
                options: JSONOptions(allowsNonFinite: true)),
            let run = value["run"]?.stringValue, let tokens = value["tokens"]?.stringValue,
            let likelihood = value["loglikelihood"]?.numberValue,
            let isGreedy = value["is_greedy"]?.boolValue
        else {
            damagedLines += 1
            return
        }
        if run == self.run { known[tokens] = Score(logLikelihood: likelihood, isGreedy: isGreedy) }
    }

    /// The hash by which a request is known.
    static func key(_ request: ScoringRequest, isPrompt: Bool) -> String {
        let text =
            (isPrompt ? "tree " : "") + request.context.map(String.init).joined(separator: ",")
            + ">" + request.continuation.map(String.init).joined(separator: ",")
        return String(SHA256.hexadecimal(of: text).prefix(32))
    }

    /// The score of a request, nil if it is not known.
    func score(of key: String) -> Score? { known[key] }

    /// Keeps a score.
    func keep(_ score: Score, of key: String, at place: Place) throws {
        known[key] = score
        try appender.append(
            writer.string([
                "task": .string(place.task), "doc": .integer(place.document),
                "request": .integer(place.request), "window": .integer(place.window),
                "run": .string(run), "tokens": .string(key),
                "loglikelihood": .number(score.logLikelihood), "is_greedy": .bool(score.isGreedy),
            ]))
    }
}
