import MambaLM
import Storage
import TestSupport
import Testing

@testable import FineTuning

@Suite("Choosing by the validation loss")
struct ValidationChoiceTests {
    private let folder = TemporaryFolder()

    /// A run whose held-out loss falls and then rises: the rate is far too high for so few records.
    private func trainer(
        to name: String = "out", _ change: (inout TrainingConfiguration) -> Void = { _ in }
    ) throws -> Trainer {
        var configuration = quickConfiguration()
        configuration.maxSteps = 24
        configuration.learningRate = 0.1
        configuration.stepsPerEvaluation = 2
        configuration.saveSteps = 100
        configuration.saveTotalLimit = 1
        configuration.savesBest = true
        change(&configuration)
        let model = tinyModel()
        return try Trainer(
            model: model, contents: try tinyAdapter(on: model, dropout: 0),
            training: countingRecords(4), validation: countingRecords(6, seed: 4),
            configuration: configuration, folder: folder.file(name))
    }

    /// The validation losses after a step, by step.
    private func losses(_ name: String = "out") throws -> [(step: Int, loss: Double)] {
        try JSONRecords(path: folder.file("\(name)/metrics.jsonl")).all().compactMap { row in
            guard let step = row.object["step"]?.integerValue, step > 0,
                let loss = row.object["eval_loss"]?.numberValue
            else { return nil }
            return (step, loss)
        }
    }

    private func adapter(_ name: String) -> [UInt8] {
        rawContents(folder.file("\(name)/adapter_model.safetensors"))
    }

    @Test("the best checkpoint stays beside the newest, and is the result")
    func savesBest() throws {
        let summary = try trainer().run()
        let best = try #require(try losses().min { $0.loss < $1.loss })
        try #require(best.step > 2 && best.step < 22, "the loss has its lowest place in between")
        #expect(summary.best == BestEvaluation(step: best.step, loss: best.loss))
        #expect(
            folder.names(in: "out").filter { $0.hasPrefix("checkpoint") }.sorted()
                == ["checkpoint-24", "checkpoint-\(best.step)"].sorted())
        #expect(adapter("out") == adapter("out/checkpoint-\(best.step)"))
        #expect(adapter("out") != adapter("out/checkpoint-24"))
        let state = try JSONValue.read(folder.file("out/trainer_state.json"))
        #expect(state["best_global_step"] == .integer(best.step))
        #expect(
            state["best_model_checkpoint"]
                == .string(folder.file("out/checkpoint-\(best.step)")))
    }

    @Test("keeping the best changes no bit of the run, nor does stopping and going on")
    func changesNothing() throws {
        try trainer().run()
        try trainer(to: "plain") { $0.savesBest = false }.run()
        let last = "checkpoint-24/optimizer.safetensors"
        #expect(
            rawContents(folder.file("out/\(last)")) == rawContents(folder.file("plain/\(last)")))
        for stop in [9, 17] {
            var step = 0
            let name = "parts-\(stop)"
            try trainer(to: name).run(
                shouldStop: { step == stop },
                report: { if case .progress(let progress) = $0 { step = progress.step } })
            let summary = try trainer(to: name).run(resuming: true)
            #expect(summary.best?.step == (try losses().min { $0.loss < $1.loss })?.step)
            #expect(adapter(name) == adapter("out"))
        }
    }

    @Test("a best checkpoint that is gone or damaged is told")
    func lostBest() throws {
        let best = try #require(try trainer().run().best)
        var bytes = adapter("out/checkpoint-\(best.step)")
        bytes[bytes.count - 5] ^= 1
        folder.write(bytes, to: "out/checkpoint-\(best.step)/adapter_model.safetensors")
        func warnings() throws -> ([String], TrainingSummary) {
            var warnings: [String] = []
            let summary = try trainer().run(
                resuming: true,
                report: { if case .warning(let text) = $0 { warnings.append(text) } })
            return (warnings, summary)
        }
        var (texts, summary) = try warnings()
        #expect(texts.count == 1 && texts[0].hasSuffix("the result is that of the last step"))
        #expect(summary.best == nil && adapter("out") == adapter("out/checkpoint-24"))
        try FolderTree.discard(folder.file("out/checkpoint-\(best.step)"))
        (texts, summary) = try warnings()
        #expect(texts.count == 1 && texts[0].contains("is not there"))
    }

    @Test("a run ends when validations stop getting better, and goes on with more patience")
    func earlyStopping() throws {
        let summary = try trainer { $0.earlyStoppingPatience = 2 }.run()
        let best = try #require(summary.best)
        #expect(summary.endedEarly && !summary.wasStopped && summary.step == best.step + 4)
        #expect(adapter("out") == adapter("out/checkpoint-\(best.step)"))
        let again = try trainer { $0.earlyStoppingPatience = 2 }.run(resuming: true)
        #expect(again.wasFinished && again.endedEarly && again.step == summary.step)
        let more = try trainer { $0.earlyStoppingPatience = 100 }.run(resuming: true)
        #expect(!more.endedEarly && more.step == 24)
        try trainer(to: "whole").run()
        #expect(adapter("out") == adapter("whole"))
    }

    @Test("a loss that is lower by less than the least gain counts as none")
    func leastGain() {
        var state = ResumeState()
        let found = [2.0, 1.9, 1.8, 1.7].map { loss in
            state.step += 1
            return state.note(validationLoss: loss, leastGain: 0.15)
        }
        #expect(found == [true, true, true, true])
        #expect(
            state.validation
                == .init(best: .init(step: 4, loss: 1.7), goal: 1.8, fruitless: 1))
    }

    @Test("without held-out records nothing can be chosen; with a harmful rate it is said")
    func refusals() throws {
        let model = tinyModel()
        var configuration = quickConfiguration()
        configuration.earlyStoppingPatience = 1
        #expect(throws: TrainingError.noValidation(setting: "early-stopping-patience")) {
            _ = try Trainer(
                model: model, contents: try tinyAdapter(on: model),
                training: countingRecords(4), configuration: configuration,
                folder: folder.file("none"))
        }
        #expect(
            "\(TrainingError.noValidation(setting: "save-best"))"
                == "--save-best needs held-out records and there are none; "
                + "give --valid FILE or --val-size 0.1")
        var noticed: [RunWarning] = []
        try trainer(to: "harmful") {
            ($0.learningRate, $0.maxSteps, $0.warmupSteps) = (3, 4, 0)
        }.run(report: { if case .noticed(let warning) = $0 { noticed.append(warning) } })
        #expect(noticed.map(\.code) == ["no_improvement"])
    }
}
