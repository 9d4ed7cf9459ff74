import Storage

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
    init(run: String, engine: String) { (self.run, self.engine) = (run, engine) }

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
            let run = value["run"]?.stringValue, let tokens = value["tokens"]?.stringValue,
            let likelihood = value["loglikelihood"]?.numberValue,
            let isGreedy = value["is_greedy"]?.boolValue
        else { return false }
        // Lines of older versions have no check; their runs are never this one.
        guard let engine = value["engine"]?.stringValue, value["check"] != nil else { return true }
        guard Self.isWhole(text) else { return false }
        guard run == self.run else { return true }
        known[tokens] = TaskResult.Response(logLikelihood: likelihood, isGreedy: isGreedy)
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
