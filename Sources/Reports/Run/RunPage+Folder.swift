import Storage

/// Why there is no report.
public enum ReportError: Error, Equatable {
    /// A folder holds no run.
    case noRun(folder: String)
    /// A file does not hold the trees of a prompt.
    case trees(file: String, problem: String)
}

extension ReportError: CustomStringConvertible {
    /// One line that names the folder.
    public var description: String {
        switch self {
        case .noRun(let folder):
            "\(quotedPath(folder)): holds no metrics.jsonl, expected the folder of a training run, as "
                + "given to --output-dir"
        case .trees(let file, let problem): "\(quotedPath(file)): \(problem), expected trees"
        }
    }
}

extension RunPage {
    /// The report's name in a run's folder.
    public static let fileName = "report.html"
    /// The name of the file with the trees of a sample.
    public static let treesName = "trees.json"
    /// The name of the file with answers to sample prompts.
    public static let samplesName = "samples.jsonl"

    /// Reads what a run has written so far; lines that cannot be read are counted and told.
    ///
    /// - Parameter folder: The run's output folder.
    /// - Throws: ``ReportError``, `FileError` or `JSONError`.
    public init(folder: String) throws {
        let metrics = FilePath.join(folder, "metrics.jsonl")
        guard FilePath.isFile(metrics) else { throw ReportError.noRun(folder: folder) }
        name = Self.name(of: folder)
        try readMetrics(metrics)
        try readSamples(FilePath.join(folder, Self.samplesName))
        try readSettings(FilePath.join(folder, "config.yaml"))
        try readAbout(FilePath.join(folder, "run.json"))
        isOver = Self.hasEnded(folder, at: max(steps.last?.step ?? 0, evaluations.last?.step ?? 0))
        let trees = FilePath.join(folder, Self.treesName)
        if FilePath.isFile(trees) { self.trees = try PromptTrees(file: trees) }
    }

    /// A folder's name; of a sweep's run, `MEMBER/seed-N/train`, its member and seed.
    private static func name(of folder: String) -> String {
        let parts = folder.split(separator: "/").suffix(3).map(String.init)
        guard parts.count == 3, parts[2] == "train", parts[1].hasPrefix("seed-") else {
            return FilePath.name(of: FilePath.trimmed(folder))
        }
        return "\(parts[0]), \(parts[1].replacing("-", with: " "))"
    }

    /// Reads a run's folder and writes the report into it, or elsewhere.
    ///
    /// - Parameters:
    ///   - folder: The run's output folder.
    ///   - path: The file to write; by default ``fileName`` in the folder.
    /// - Returns: The file.
    /// - Throws: ``ReportError``, `FileError` or `JSONError`.
    @discardableResult
    public static func write(of folder: String, to path: String? = nil) throws -> String {
        let path = path ?? FilePath.join(folder, fileName)
        try AtomicFile.write(try RunPage(folder: folder).html, to: path)
        return path
    }

    /// Calls `body` with the object of each line; a last line without its end may be in the making.
    ///
    /// - Returns: How many lines are no objects.
    private func forEachLine(of path: String, _ body: (JSONObject) -> Void) throws -> Int {
        guard FilePath.isFile(path) else { return 0 }
        let reader = try LineReader(path: path)
        var spoilt = 0
        let options = JSONOptions(allowsNonFinite: true)
        while let line = try reader.next() {
            guard !line.bytes.isEmpty else { continue }
            let value = try? JSONValue(parsing: line.bytes, file: path, options: options)
            if let object = value?.objectValue { body(object) } else { spoilt += 1 }
        }
        return spoilt
    }

    private mutating func readMetrics(_ path: String) throws {
        var (steps, evaluations, warnings) = ([Step](), [Evaluation](), [Warning]())
        let spoilt = try forEachLine(of: path) { row in
            guard let step = row["step"]?.integerValue else { return }
            if let message = row["message"]?.stringValue {
                warnings.append(Warning(step: step, message: message))
            } else if let loss = row["eval_loss"]?.numberValue {
                evaluations.append(
                    Evaluation(step: step, epoch: row["epoch"]?.numberValue, loss: loss))
            } else if let loss = row["loss"]?.numberValue {
                steps.append(
                    Step(
                        step: step, loss: loss, learningRate: row["learning_rate"]?.numberValue,
                        gradientNorm: row["grad_norm"]?.numberValue,
                        tokensPerSecond: row["tokens_per_second"]?.numberValue,
                        peakBytes: row["peak_memory_bytes"]?.numberValue,
                        seconds: row["elapsed_seconds"]?.numberValue))
            }
        }
        self.steps = steps
        self.evaluations = evaluations
        self.warnings = warnings
        note(spoilt: spoilt, in: path)
    }

    private mutating func readSamples(_ path: String) throws {
        var samples: [Sample] = []
        let spoilt = try forEachLine(of: path) { row in
            guard let prompt = row["prompt"]?.stringValue, let answer = row["answer"]?.stringValue
            else { return }
            samples.append(
                Sample(
                    step: row["step"]?.integerValue ?? 0, prompt: prompt, answer: answer,
                    isBase: row["base"]?.boolValue ?? false))
        }
        self.samples = samples
        note(spoilt: spoilt, in: path)
    }

    private mutating func note(spoilt: Int, in path: String) {
        guard spoilt > 0 else { return }
        let name = FilePath.name(of: path)
        warnings.append(
            Warning(
                step: 0,
                message: "\(FigureText.count(spoilt, "line")) of \(name) could not be read and "
                    + (spoilt == 1 ? "is" : "are") + " left out"))
    }

    /// Takes the configuration over as the run wrote it: a key and a JSON value a line.
    private mutating func readSettings(_ path: String) throws {
        guard FilePath.isFile(path) else { return }
        let reader = try LineReader(path: path)
        while let line = try reader.next() {
            let text = line.text
            guard !text.hasPrefix("#"), let colon = text.firstRange(of: ": ") else { continue }
            let value = String(text[colon.upperBound...])
            let read = try? JSONValue(parsing: value, file: path)
            let words = read?.arrayValue?.compactMap(\.stringValue).joined(separator: ", ")
            settings.append(
                (String(text[..<colon.lowerBound]), read?.stringValue ?? words ?? value))
        }
    }

    private mutating func readAbout(_ path: String) throws {
        guard FilePath.isFile(path) else { return }
        let about = try JSONFields(JSONValue.read(path), file: path).object
        command = (about["command"]?.arrayValue ?? []).compactMap(\.stringValue)
        totalSteps = about["total_steps"]?.integerValue
        let names = [
            ("version", "version"), ("engine", "engine"), ("processor", "processor"),
            ("records", "records"), ("validation_records", "records held out"),
            ("trainable_values", "trained values"), ("resumed_from", "last went on from"),
        ]
        for (key, name) in names {
            guard let value = about[key], !value.isNull, let text = Self.text(value) else {
                continue
            }
            facts.append((name, text))
        }
    }

    /// Whether the run has left its result, and its state is that of the last step: one that goes on beyond an
    /// earlier end has the result of that end.
    private static func hasEnded(_ folder: String, at step: Int) -> Bool {
        let state = FilePath.join(folder, "trainer_state.json")
        let hasResult = ["adapter_config.json", "config.json"].contains {
            FilePath.isFile(FilePath.join(folder, $0))
        }
        guard hasResult, FilePath.isFile(state) else { return false }
        return (try? JSONValue.read(state))?["global_step"]?.integerValue == step
    }

    private static func text(_ value: JSONValue?) -> String? {
        switch value {
        case nil: nil
        case .string(let text)?: text
        case .integer(let number)?: FigureText.count(number)
        case .array(let values)?: values.compactMap { text($0) }.joined(separator: ", ")
        case let value?: JSONWriter(escapesNonASCII: false).string(value)
        }
    }
}
