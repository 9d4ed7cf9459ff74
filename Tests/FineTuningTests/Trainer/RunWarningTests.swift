import Storage
import TestSupport
import Testing

@testable import FineTuning

@Suite("Warnings of a run")
struct RunWarningTests {
    private let folder = TemporaryFolder()

    /// What a run of a few steps says, and the lines of its log.
    private func warnings(
        records: Int = 8, _ change: (inout TrainingConfiguration) -> Void
    ) throws -> [RunWarning] {
        var configuration = quickConfiguration()
        configuration.maxSteps = 4
        change(&configuration)
        let model = tinyModel()
        let trainer = try Trainer(
            model: model, contents: try tinyAdapter(on: model),
            training: countingRecords(records), configuration: configuration,
            folder: folder.file("out"))
        return trainer.warnings
    }

    @Test("settings that can do nothing are told before the run")
    func settings() throws {
        #expect(try warnings { _ in } == [])
        #expect(try warnings { $0.learningRate = 0 } == [.noLearningRate])
        // 19 steps with the default warm-up of 20 learnt nothing to speak of, without a word.
        #expect(
            try warnings {
                ($0.warmupSteps, $0.maxSteps) = (20, 19)
            } == [.endlessWarmup(warmup: 20, steps: 19)])
        #expect(
            try warnings {
                ($0.warmupSteps, $0.maxSteps, $0.schedule) = (20, 19, .constant)
            } == [])
        #expect(try warnings(records: 3) { _ in } == [.fewRecords(records: 3, recordsPerStep: 4)])
        #expect(
            try warnings {
                ($0.epochs, $0.maxSteps, $0.warmupSteps) = (0.01, -1, 0)
            } == [.lessThanOneStep(epochs: 0.01)])
    }

    @Test("what no gradient reaches is told after the first step, and all is logged once")
    func noGradient() throws {
        var configuration = quickConfiguration()
        configuration.maxSteps = 3
        configuration.learningRate = 0
        let model = tinyModel()
        // Nothing flows through a block whose output is multiplied by zeros.
        for block in model.blocks {
            block.mixer.outProj.weight.makeTrainable(on: model.engine)
            block.mixer.outProj.weight.value.fill(0)
        }
        let adapter = try tinyAdapter(on: model, dropout: 0)
        let trainer = try Trainer(
            model: model, contents: adapter, training: countingRecords(8),
            configuration: configuration, folder: folder.file("out"))
        var events: [RunWarning] = []
        try trainer.run(report: { if case .noticed(let warning) = $0 { events.append(warning) } })
        #expect(events == [.noLearningRate, .noGradient(targets: ["in_proj", "x_proj"])])
        let rows = try JSONRecords(path: folder.file("out/metrics.jsonl")).all().map(\.object)
        let logged = rows.filter { $0["warning"] != nil }
        #expect(logged.map { $0["warning"] } == ["no_learning_rate", "no_gradient"])
        #expect(logged.map { $0["step"] } == [0, 1])
    }

    @Test("sentences tell what to change")
    func sentences() {
        #expect(
            RunWarning.endlessWarmup(warmup: 20, steps: 19).description
                == "the warm-up of 20 steps is not over after the run's 19, so that the learning "
                + "rate is never reached; set --warmup-steps 0.1, a tenth of the run")
        #expect(
            RunWarning.noGradient(targets: ["x_proj"]).description
                == "no gradient reaches x_proj, which stay as they are")
    }
}
