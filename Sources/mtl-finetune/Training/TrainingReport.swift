import CommandSupport
import FineTuning
import Python
import Reports
import Storage
import Tensors

/// Shows what a run reports: text for a person, or one JSON object per line.
final class TrainingReport {
    private let isQuiet: Bool
    private let isJSON: Bool
    private var line: ProgressLine
    private var loading: ProgressLine

    init(isQuiet: Bool, isJSON: Bool) {
        self.isQuiet = isQuiet
        self.isJSON = isJSON
        line = ProgressLine("step", isQuiet: isQuiet)
        loading = ProgressLine("encoding record", isQuiet: isQuiet || isJSON)
    }

    func warn(_ text: String) {
        line.clear()
        if isJSON { return emit(["event": "warning", "message": .string(text)]) }
        Terminal.printNote("warning: \(text)")
    }

    /// Warns of what is known of a run.
    func warn(_ warning: RunWarning) {
        guard isJSON else { return warn(warning.description) }
        emit([
            "event": "warning", "code": .string(warning.code),
            "message": .string(warning.description),
        ])
    }

    /// Says which files of data folders are used for nothing.
    func notePassedOver(_ files: [String]) {
        guard !files.isEmpty else { return }
        let more = files.count > 5 ? " and \(files.count - 5) more" : ""
        note(
            "not used: \(files.prefix(5).joined(separator: ", "))\(more)",
            ["event": "not_used", "files": .array(files.map { .string($0) })])
    }

    func show(_ event: LoadingEvent) {
        switch event {
        case .encoded(let done, let total):
            loading.update(done: done, total: total)
            if done == total { loading.clear() }
        case .cacheFailed(let reason):
            loading.clear()
            warn(reason)
        }
    }

    func show(_ event: TrainingEvent) {
        switch event {
        case .started(let outline): started(outline)
        case .progress(let progress):
            line.update(
                done: progress.step, total: progress.totalSteps,
                detail: "loss \(PythonFloat.fixed(progress.loss, places: 4)), "
                    + "\(Int(progress.tokensPerSecond)) tokens/s", remaining: progress.remaining)
        case .logged(let metrics): logged(metrics)
        case .evaluated(let metrics): evaluated(metrics)
        case .answered(let sample): answered(sample)
        case .saved(let folder):
            note("saved \(folder)", ["event": "saved", "folder": .string(folder)])
        case .noticed(let warning): warn(warning)
        case .warning(let text): warn(text)
        case .finished: break
        }
    }

    private func started(_ outline: TrainingOutline) {
        let resumed = outline.resumedFrom.map { ", continuing \($0)" } ?? ""
        let held = outline.validationRecords > 0 ? ", \(outline.validationRecords) held out" : ""
        note(
            "\(outline.records) records\(held), \(outline.totalSteps) steps, "
                + "\(outline.trainableValues) trainable values\(resumed)",
            [
                "event": "started", "records": .integer(outline.records),
                "validation_records": .integer(outline.validationRecords),
                "total_steps": .integer(outline.totalSteps),
                "trainable_values": .integer(outline.trainableValues),
            ])
    }

    private func logged(_ x: StepMetrics) {
        note(
            "step \(x.step): loss \(PythonFloat.fixed(x.loss, places: 4)), "
                + "gradient norm \(PythonFloat.fixed(x.gradientNorm, places: 3)), "
                + "\(Int(x.tokensPerSecond)) tokens/s",
            [
                "event": "step", "step": .integer(x.step), "epoch": .number(x.epoch),
                "loss": .number(x.loss), "learning_rate": .number(x.learningRate),
                "grad_norm": .number(x.gradientNorm),
                "tokens_per_second": .number(x.tokensPerSecond),
                "scored_tokens": .integer(x.scoredTokens),
            ])
    }

    private func evaluated(_ x: EvaluationMetrics) {
        note(
            "step \(x.step): held-out loss \(PythonFloat.fixed(x.loss, places: 4))",
            ["event": "evaluation", "step": .integer(x.step), "eval_loss": .number(x.loss)])
    }

    private func answered(_ x: SampleAnswer) {
        let who = x.isBase ? "base model" : "step \(x.step)"
        func shown(_ text: String) -> String { quoted(text.replacing("\n", with: " ⏎ ")) }
        note(
            "\(who): \(shown(x.prompt)) is answered \(shown(x.answer))",
            [
                "event": "sample", "step": .integer(x.step), "prompt": .string(x.prompt),
                "answer": .string(x.answer), "base": .bool(x.isBase),
            ])
    }

    /// Tells how the run ended, and what to do next.
    func finish(_ summary: TrainingSummary, folder: String, command: TrainCommand) {
        line.clear()
        if isJSON {
            return emit([
                "event": "finished", "step": .integer(summary.step),
                "train_loss": summary.trainingLoss.map { .number($0) } ?? .null,
                "tokens_per_second": .number(summary.tokensPerSecond),
                "stopped": .bool(summary.wasStopped),
                "was_finished": .bool(summary.wasFinished),
                "ended_early": .bool(summary.endedEarly),
                "best_step": summary.best.map { .integer($0.step) } ?? .null,
                "best_eval_loss": summary.best.map { .number($0.loss) } ?? .null,
            ])
        }
        if summary.wasStopped {
            Terminal.printNote(
                "stopped at step \(summary.step) of \(summary.totalSteps); "
                    + "go on with the same command and --resume")
            return
        }
        if summary.wasFinished {
            Terminal.printResult(
                summary.endedEarly
                    ? "\(folder): the held-out loss had ended the run at step \(summary.step); "
                        + "raise --early-stopping-patience to go on"
                    : "\(folder): the run had reached its end, step \(summary.totalSteps); "
                        + "raise --max-steps or --num-train-epochs to go on")
            return
        }
        showCurve(of: folder)
        let memory = Processor.peakBytes.map { ", \($0 >> 20) MiB at most" } ?? ""
        Terminal.printResult(
            "\(folder): \(summary.step) steps in \(ProgressLine.text(summary.runtime)), "
                + "\(Int(summary.tokensPerSecond)) tokens/s\(memory)")
        if summary.endedEarly {
            let patience = command.training.earlyStoppingPatience
            Terminal.printNote(
                "ended at step \(summary.step) of \(summary.totalSteps): the held-out loss "
                    + "was not lower in the last \(patience) validations")
        }
        if let best = summary.best {
            Terminal.printNote(
                "the weights in it are those of step \(best.step), whose held-out loss, "
                    + "\(PythonFloat.fixed(best.loss, places: 4)), is the lowest")
        }
        let model =
            command.adapter.fineTuneType == .full
            ? [folder] : [command.model, "--adapter", folder]
        let page = FilePath.join(folder, RunPage.fileName)
        if FilePath.isFile(page) { Terminal.printNote("look at it: \(page)") }
        Terminal.printNote("talk to it: " + ShellText.line(["mtl-chat", "--model"] + model))
    }

    /// Draws the losses of the whole run, those before it was resumed included.
    private func showCurve(of folder: String) {
        guard !isQuiet, let columns = Terminal.columns, !Terminal.isDumb,
            let rows = try? JSONRecords(path: "\(folder)/metrics.jsonl").all().map(\.object)
        else { return }
        func points(_ key: String) -> [LinePlot.Point] {
            rows.compactMap { row in
                guard let step = row["step"]?.numberValue, let value = row[key]?.numberValue
                else { return nil }
                return (step, value)
            }
        }
        let (training, heldOut) = (points("loss"), points("eval_loss"))
        guard let plot = LinePlot(curve: training, marks: heldOut) else { return }
        let lines = plot.lines(columns: min(columns - 1, 100))
        guard !lines.isEmpty else { return }
        let legend = "loss by step: ⠤ training" + (heldOut.isEmpty ? "" : "   ● held out")
        Terminal.printNote(([legend] + lines).joined(separator: "\n"))
    }

    /// Tells what a run would do.
    func show(_ report: DryRunReport) {
        line.clear()
        if isJSON { return emit(DryRunText.json(report)) }
        report.warnings.forEach(warn)
        Terminal.printResult(DryRunText.render(report))
    }

    private func note(_ text: String, _ object: JSONObject) {
        if isJSON { return emit(object) }
        guard !isQuiet else { return }
        line.clear()
        Terminal.printNote(text)
    }

    private func emit(_ object: JSONObject) {
        Terminal.printResult(JSONWriter().string(.object(object)))
    }
}
