import Storage

/// What a model answered to a sample prompt.
public struct SampleAnswer: Equatable, Sendable {
    /// The number of finished steps.
    public var step: Int
    /// What was asked.
    public var prompt: String
    /// The most likely answer.
    public var answer: String
    /// Whether it is the answer of the model that training began with, without an adapter.
    public var isBase: Bool
}

/// Writes `samples.jsonl`, one answer per line, and the same for TensorBoard.
struct SampleLog {
    static let fileName = "samples.jsonl"
    private let lines: LineAppender
    private let board: TensorBoardLog?

    /// Opens the file of a run.
    ///
    /// - Parameters:
    ///   - folder: The output folder.
    ///   - finishedSteps: Lines of later steps, left by a run that was cut off, are removed.
    ///   - board: Where answers go, too.
    /// - Throws: `FileError`.
    init(folder: String, finishedSteps: Int, board: TensorBoardLog?) throws {
        self.board = board
        let path = "\(folder)/\(Self.fileName)"
        if FilePath.exists(path) {
            let kept = try MetricsLog.lines(of: path, upTo: finishedSteps)
            try AtomicFile.write(kept.map { $0 + "\n" }.joined(), to: path)
        }
        lines = try LineAppender(path: path)
    }

    /// Logs the answer to the prompt of a number, from 1.
    func append(_ sample: SampleAnswer, number: Int) throws {
        try board?.append(sample, number: number)
        let row: JSONObject = [
            "step": .integer(sample.step), "prompt": .string(sample.prompt),
            "answer": .string(sample.answer), "base": .bool(sample.isBase),
        ]
        try lines.append(JSONWriter().string(.object(row)))
    }

    /// Waits until all lines have reached the disk.
    func sync() throws { try lines.sync() }
}

extension Trainer {
    /// Answers the sample prompts, if there are any.
    ///
    /// - Parameters:
    ///   - isBase: Whether the model that training begins with is to answer, without its adapter.
    ///   - log: Where the answers go; nil without prompts.
    ///   - report: Called with each answer.
    /// - Throws: `FileError`.
    func answerSamples(
        isBase: Bool = false, _ log: SampleLog?, _ report: (TrainingEvent) -> Void
    ) throws {
        guard let samples, let log else { return }
        func answer() throws {
            for (place, prompt) in samples.prompts.enumerated() {
                let sample = SampleAnswer(
                    step: state.step, prompt: prompt.text,
                    answer: samples.answer(to: prompt, by: model), isBase: isBase)
                try log.append(sample, number: place + 1)
                report(.answered(sample))
            }
        }
        try isBase ? contents.withBaseModel(answer) : answer()
    }
}
