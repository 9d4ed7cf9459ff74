import FoundationEssentials
import Storage

/// Writes `metrics.jsonl` and the same for TensorBoard, and keeps the history for Hugging Face's
/// `trainer_state.json`.
struct MetricsLog {
    /// The rows of `log_history`.
    private(set) var history: [JSONValue] = []
    private let lines: LineAppender
    private let board: TensorBoardLog?

    /// Opens the file of a run.
    ///
    /// - Parameters:
    ///   - folder: The output folder.
    ///   - finishedSteps: Lines of later steps, left by a run that was cut off, are removed.
    ///   - history: The rows up to there.
    ///   - warnings: What is known before the first step, in place of what was.
    ///   - board: Where figures go, too.
    /// - Throws: `FileError`.
    init(
        folder: String, finishedSteps: Int, history: [JSONValue], warnings: [RunWarning] = [],
        board: TensorBoardLog? = nil
    ) throws {
        self.board = board
        let path = folder + "/metrics.jsonl"
        self.history = history
        let begun = warnings.map { JSONWriter().string(.object(MetricsLog.row($0, step: 0))) }
        let exists = FileManager.default.fileExists(atPath: path)
        if exists || !begun.isEmpty {
            let kept = exists ? try MetricsLog.lines(of: path, upTo: finishedSteps) : []
            try AtomicFile.write((begun + kept).map { $0 + "\n" }.joined(), to: path)
        }
        lines = try LineAppender(path: path)
    }

    /// The lines of steps that are kept; warnings from before the first, a half-written one at the end and
    /// spoilt ones are not.
    static func lines(of path: String, upTo finishedSteps: Int) throws -> [String] {
        let reader = try LineReader(path: path)
        var kept: [String] = []
        while true {
            let line: LineReader.Line
            do {
                guard let next = try reader.next() else { break }
                line = next
            } catch FileError.notUTF8 {
                continue
            }
            let value = try? JSONValue(parsing: line.bytes, file: path)
            if let step = value?["step"]?.integerValue, step <= finishedSteps,
                step > 0 || value?["warning"] == nil
            {
                kept.append(line.text)
            }
        }
        return kept
    }

    /// Logs a line about training.
    mutating func append(_ metrics: StepMetrics) throws {
        try board?.append(metrics)
        try append([
            "step": .integer(metrics.step), "epoch": .number(metrics.epoch),
            "loss": .number(metrics.loss), "learning_rate": .number(metrics.learningRate),
            "grad_norm": .number(metrics.gradientNorm),
            "tokens_per_second": .number(metrics.tokensPerSecond),
            "scored_tokens": .integer(metrics.scoredTokens),
            "elapsed_seconds": .number(metrics.elapsed.seconds),
            "peak_memory_bytes": metrics.peakBytes.map { .integer($0) } ?? .null,
        ])
        history.append([
            "epoch": .number(metrics.epoch), "grad_norm": .number(metrics.gradientNorm),
            "learning_rate": .number(metrics.learningRate), "loss": .number(metrics.loss),
            "step": .integer(metrics.step),
        ])
    }

    /// Logs a line about validation.
    mutating func append(_ metrics: EvaluationMetrics) throws {
        try board?.append(metrics)
        let seconds = max(metrics.runtime.seconds, 1e-9)
        let row: JSONObject = [
            "step": .integer(metrics.step), "epoch": .number(metrics.epoch),
            "eval_loss": .number(metrics.loss), "eval_runtime": .number(seconds),
            "eval_samples_per_second": .number(Double(metrics.records) / seconds),
            "eval_steps_per_second": .number(Double(metrics.batches) / seconds),
        ]
        try append(row)
        history.append(.object(row))
    }

    /// Logs a warning.
    func append(_ warning: RunWarning, step: Int) throws {
        try append(MetricsLog.row(warning, step: step))
    }

    private static func row(_ warning: RunWarning, step: Int) -> JSONObject {
        [
            "step": .integer(step), "warning": .string(warning.code),
            "message": .string(warning.description),
        ]
    }

    /// Waits until all lines have reached the disk.
    func sync() throws { try lines.sync() }

    private func append(_ row: JSONObject) throws {
        try lines.append(JSONWriter().string(.object(row)))
    }
}
