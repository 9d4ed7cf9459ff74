import Storage
import Tensors

extension Trainer {
    /// Trains until the last step, or until asked to stop.
    ///
    /// Validation comes before the first step, every `stepsPerEvaluation` steps and after the last, and so
    /// do the answers to the sample prompts, of which those before the first step are the base model's.
    /// A checkpoint is written every `saveSteps` steps, after the last step, when the run is asked to
    /// stop, and with `savesBest` where the validation loss is the lowest so far. After the last step the
    /// contents, or those of the best checkpoint, are written into the output folder itself.
    ///
    /// - Parameters:
    ///   - resuming: Whether the newest usable checkpoint in the output folder is continued; if not, the
    ///     folder may hold no run.
    ///   - shouldStop: Asked after every step.
    ///   - report: Called with what happens, on this thread.
    /// - Returns: How it ended.
    /// - Throws: ``TrainingError``, ``CheckpointError``, `OutputError`, or an error of a file.
    @discardableResult
    public func run(
        resuming: Bool = false, shouldStop: () -> Bool = { false },
        report: (TrainingEvent) -> Void = { _ in }
    ) throws -> TrainingSummary {
        let output = try RunFolder(folder, resuming ? .resuming : .anew)
        return try run(in: output, shouldStop: shouldStop, report: report)
    }

    /// The same in a folder that is held already, and may hold an earlier run if that is to be overwritten.
    ///
    /// - Parameters:
    ///   - output: The output folder, of the trainer's path.
    ///   - files: Files to be written into it when the run begins.
    ///   - about: What `run.json` says of the run beside its sizes, such as the command and the version.
    ///   - shouldStop: Asked after every step.
    ///   - report: Called with what happens, on this thread.
    /// - Returns: How it ended.
    /// - Throws: As ``run(resuming:shouldStop:report:)``.
    @discardableResult
    public func run(
        in output: RunFolder, files: [Companion] = [], about: JSONObject = [:],
        shouldStop: () -> Bool = { false }, report: (TrainingEvent) -> Void = { _ in }
    ) throws -> TrainingSummary {
        precondition(
            output.path == folder, "the folder is \(output.path), the trainer's is \(folder)")
        // The lock must outlast the run.
        defer { withExtendedLifetime(output) {} }
        let resumed = output.start == .resuming ? try resume(in: output, report) : nil
        let outline = outline(resumedFrom: resumed?.path)
        identity.run = try output.begin(
            continuing: resumed == nil ? nil : identity.run, about: outline.members(after: about))
        try files.forEach { try $0.write(to: folder) }
        let board = try board(files)
        var log = try MetricsLog(
            folder: folder, finishedSteps: state.step, history: resumed?.history ?? [],
            warnings: warnings, board: board)
        let sampleLog = try samples.map { _ in
            try SampleLog(folder: folder, finishedSteps: state.step, board: board)
        }
        var saved = resumed?.lineage ?? []
        report(.started(outline))
        warnings.forEach { report(.noticed($0)) }
        // A run that was killed may have left one too many.
        removeOldest(of: &saved, report)
        let wasFinished = isOver

        var timing = Timing(firstStep: state.step)
        var validationLoss: Double?
        if resumed == nil {
            if !validation.isEmpty { validationLoss = try validate(&log, report) }
            try answerSamples(isBase: true, sampleLog, report)
        }
        while !isOver {
            let result = try advance()
            timing.add(result)
            report(.progress(progress(result, timing)))
            if !result.targetsWithoutGradient.isEmpty {
                let warning = RunWarning.noGradient(targets: result.targetsWithoutGradient)
                report(.noticed(warning))
                try log.append(warning, step: state.step)
            }
            let isLast = state.step == plan.totalSteps
            if isLast || state.step % configuration.loggingSteps == 0 {
                try logSteps(result, &timing, &log, report)
            }
            var isBest = false
            if isLast || state.step % configuration.stepsPerEvaluation == 0 {
                if !validation.isEmpty {
                    let loss = try validate(&log, report)
                    validationLoss = loss
                    isBest = state.note(
                        validationLoss: loss, leastGain: configuration.earlyStoppingMinDelta)
                }
                try answerSamples(sampleLog, report)
            }
            if isOver, state.pending.steps > 0 { try logSteps(result, &timing, &log, report) }
            let stops = !isOver && shouldStop()
            let keeps = isBest && configuration.savesBest
            if isOver || stops || keeps || state.step % configuration.saveSteps == 0 {
                try save(history: log.history, lineage: &saved, report)
            }
            if stops { break }
        }
        try sampleLog?.sync()
        if !wasFinished { try warnOfNoImprovement(&log, report) }
        var summary = try finish(log, timing, validationLoss, report)
        summary.wasFinished = wasFinished
        report(.finished(summary))
        return summary
    }

    /// What is written for TensorBoard, if that is asked for and there is something left to write.
    private func board(_ files: [Companion]) throws -> TensorBoardLog? {
        guard configuration.reportTarget == .tensorboard, !isOver else { return nil }
        let board = try TensorBoardLog(folder: folder, finishedSteps: state.step)
        for file in files where file.name == "config.yaml" && state.step == 0 {
            try board.append(
                verbatim: String(decoding: file.content, as: UTF8.self), tag: "config")
        }
        return board
    }

    /// Whether nothing is left to do: the last step is done, or validation ended the run.
    private var isOver: Bool { state.step >= plan.totalSteps || endsEarly }

    private var endsEarly: Bool {
        let patience = configuration.earlyStoppingPatience
        return patience > 0 && (state.validation?.fruitless ?? 0) >= patience
    }

    /// Logs the line about the steps since the last one.
    private func logSteps(
        _ last: StepResult, _ timing: inout Timing, _ log: inout MetricsLog,
        _ report: (TrainingEvent) -> Void
    ) throws {
        let metrics = takePending(last, &timing)
        try log.append(metrics)
        report(.logged(metrics))
    }

    /// Tells where the best weights are not better than those that training began with.
    private func warnOfNoImprovement(
        _ log: inout MetricsLog, _ report: (TrainingEvent) -> Void
    ) throws {
        let first = log.history.first { $0["step"] == 0 }?["eval_loss"]?.numberValue
        guard isOver, configuration.savesBest, let first, let best = state.validation?.best,
            best.loss >= first
        else { return }
        let warning = RunWarning.noImprovement(best: best, before: first)
        report(.noticed(warning))
        try log.append(warning, step: state.step)
    }

    /// Validates, logs the result and returns the loss.
    private func validate(
        _ log: inout MetricsLog, _ report: (TrainingEvent) -> Void
    ) throws -> Double {
        let metrics = try evaluate()
        try log.append(metrics)
        report(.evaluated(metrics))
        return metrics.loss
    }

    private func outline(resumedFrom path: String?) -> TrainingOutline {
        TrainingOutline(
            records: training.count, validationRecords: validation.count,
            totalSteps: plan.totalSteps, stepsPerEpoch: plan.stepsPerEpoch,
            trainableValues: optimizer.parameters.reduce(0) { $0 + $1.value.count },
            resumedFrom: path, finishedSteps: state.step)
    }

    private func progress(_ result: StepResult, _ timing: Timing) -> TrainingProgress {
        TrainingProgress(
            step: state.step, totalSteps: plan.totalSteps, epoch: plan.epoch(after: state.step),
            loss: result.loss,
            tokensPerSecond: Double(result.tokens) / max(result.duration.seconds, 1e-9),
            remaining: timing.remaining(step: state.step, of: plan.totalSteps),
            peakBytes: Processor.peakBytes)
    }

    /// The line about the steps since the last one, which begins a new interval.
    private func takePending(_ last: StepResult, _ timing: inout Timing) -> StepMetrics {
        defer { state.pending = ResumeState.Pending() }
        return StepMetrics(
            step: state.step, epoch: plan.epoch(after: state.step),
            loss: state.pending.lossSum / Double(state.pending.steps),
            learningRate: last.learningRate, gradientNorm: last.gradientNorm,
            tokensPerSecond: timing.takeInterval(), scoredTokens: state.pending.scoredTokens,
            elapsed: timing.elapsed, peakBytes: Processor.peakBytes)
    }

    private func finish(
        _ log: MetricsLog, _ timing: Timing, _ validationLoss: Double?,
        _ report: (TrainingEvent) -> Void
    ) throws -> TrainingSummary {
        try log.sync()
        let isDone = isOver
        var best: BestEvaluation?
        if isDone {
            best = try takeBest(report)
            try AtomicFolder.put(into: folder, key: contents.keyFile) { try contents.write(to: $0) }
        }
        try trainerState(history: log.history).write(to: folder + "/trainer_state.json")
        return TrainingSummary(
            step: state.step, totalSteps: plan.totalSteps, trainingLoss: timing.meanLoss,
            validationLoss: validationLoss, runtime: timing.elapsed,
            tokensPerSecond: timing.tokensPerSecond, wasStopped: !isDone,
            endedEarly: isDone && state.step < plan.totalSteps, best: best)
    }
}

extension TrainingOutline {
    /// The sizes of the run, after what else there is to say of it.
    fileprivate func members(after about: JSONObject) -> JSONObject {
        var members = about
        members["records"] = .integer(records)
        members["validation_records"] = .integer(validationRecords)
        members["total_steps"] = .integer(totalSteps)
        members["trainable_values"] = .integer(trainableValues)
        members["resumed_from"] = resumedFrom.map { .string($0) } ?? .null
        return members
    }
}

/// How long the steps of this process took.
private struct Timing {
    private let start = ContinuousClock.now
    private let firstStep: Int
    private var total = Sums()
    private var interval = Sums()

    private struct Sums {
        var seconds = 0.0
        var tokens = 0
        var steps = 0
        var loss = 0.0

        mutating func add(_ result: Trainer.StepResult) {
            seconds += result.duration.seconds
            tokens += result.tokens
            steps += 1
            loss += result.loss
        }

        var tokensPerSecond: Double { Double(tokens) / max(seconds, 1e-9) }
    }

    init(firstStep: Int) { self.firstStep = firstStep }

    mutating func add(_ result: Trainer.StepResult) {
        total.add(result)
        interval.add(result)
    }

    mutating func takeInterval() -> Double {
        defer { interval = Sums() }
        return interval.tokensPerSecond
    }

    var elapsed: Duration { start.duration(to: .now) }
    var tokensPerSecond: Double { total.tokensPerSecond }
    var meanLoss: Double? { total.steps == 0 ? nil : total.loss / Double(total.steps) }

    func remaining(step: Int, of totalSteps: Int) -> Duration {
        elapsed * (Double(totalSteps - step) / Double(max(step - firstStep, 1)))
    }
}
