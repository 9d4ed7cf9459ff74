import MambaLM
import Storage
import Tensors
import TestSupport
import Testing

@testable import FineTuning

@Suite("Trainer")
struct TrainerTests {
    private let folder: TemporaryFolder

    init() throws { folder = TemporaryFolder() }

    private func trainer(
        _ configuration: TrainingConfiguration, model: MambaModel = tinyModel(),
        name: String = "out", records: [TrainingRecord] = countingRecords(18),
        validation: [TrainingRecord] = [], settings: JSONObject = [:]
    ) throws -> Trainer {
        try Trainer(
            model: model, contents: try tinyAdapter(on: model), training: records,
            validation: validation, configuration: configuration, folder: "\(folder.path)/\(name)",
            settings: settings)
    }

    /// The lines of `metrics.jsonl` without what depends on time and machine.
    private func metrics(_ name: String) throws -> [JSONObject] {
        try JSONRecords(path: "\(folder.path)/\(name)/metrics.jsonl").all().map { record in
            let timed = ["per_second", "runtime", "elapsed", "memory"]
            let kept = record.object.members.filter { member in
                !timed.contains { member.key.contains($0) }
            }
            return JSONObject(kept.map { ($0.key, $0.value) })
        }
    }

    @Test("the loss of counting falls")
    func lossFalls() throws {
        var configuration = quickConfiguration()
        configuration.maxSteps = 200
        configuration.learningRate = 2e-2
        let model = tinyModel()
        let trainer = try Trainer(
            model: model, contents: TrainedModel(model), training: countingRecords(40),
            configuration: configuration, folder: "\(folder.path)/out")
        var losses: [Double] = []
        try trainer.run(report: {
            if case .logged(let metrics) = $0 { losses.append(metrics.loss) }
        })
        #expect(losses.count == 200)
        #expect(losses[0] > 2.5)
        #expect(losses.suffix(10).reduce(0, +) / 10 < 1)
        // The trained model is in the output folder, usable.
        let (loaded, _) = try MambaModel.load(
            folder: "\(folder.path)/out", engine: makeEngine(threads: 1))
        #expect(
            loaded.embeddings.weight.value.values == model.embeddings.weight.value.values)
    }

    @Test(
        "a run that is stopped and resumed equals an unbroken one, bit for bit",
        arguments: [1, 4, 5, 8])
    func resumedEqualsUnbroken(stop: Int) throws {
        var configuration = quickConfiguration()
        configuration.epochs = 2  // 5 steps an epoch
        configuration.loggingSteps = 3
        configuration.stepsPerEvaluation = 4
        configuration.saveSteps = 100
        let validation = countingRecords(3, seed: 4)
        try trainer(configuration, name: "whole", validation: validation).run()

        var step = 0
        let first = try trainer(configuration, name: "parts", validation: validation).run(
            shouldStop: { step == stop },
            report: { if case .progress(let progress) = $0 { step = progress.step } })
        #expect(first.wasStopped && first.step == stop)
        #expect(folder.names(in: "parts").contains("checkpoint-\(stop)"))
        #expect(!folder.names(in: "parts").contains("adapter_model.safetensors"))
        let second = try trainer(configuration, name: "parts", validation: validation).run(
            resuming: true)
        #expect(!second.wasStopped && second.step == 10)

        for file in ["adapter_model.safetensors", "checkpoint-10/optimizer.safetensors"] {
            #expect(
                rawContents("\(folder.path)/whole/\(file)")
                    == (rawContents("\(folder.path)/parts/\(file)")), "\(file)")
        }
        #expect(try metrics("whole") == (try metrics("parts")))
        #expect(try metrics("whole").map { $0["step"] } == [0, 3, 4, 6, 8, 9, 10, 10])
    }

    @Test("lines of steps after the checkpoint are removed when a run is resumed")
    func laterLinesAreRemoved() throws {
        var configuration = quickConfiguration()
        configuration.maxSteps = 4
        try trainer(configuration, name: "whole").run()
        configuration.maxSteps = 2
        try trainer(configuration, name: "parts").run()
        let log = try LineAppender(path: "\(folder.path)/parts/metrics.jsonl")
        try log.append(#"{"step": 3, "loss": 7.0}"#)
        try log.append(#"{"step": 4, "lo"#)
        configuration.maxSteps = 4
        try trainer(configuration, name: "parts").run(resuming: true)
        #expect(try metrics("whole") == (try metrics("parts")))
    }

    @Test("the number of threads changes no bit")
    func threadsChangeNothing() throws {
        var configuration = quickConfiguration()
        configuration.maxSteps = 4
        for threads in [1, 2] {
            try trainer(configuration, model: tinyModel(threads: threads), name: "\(threads)").run()
        }
        let files = [1, 2].map {
            rawContents("\(folder.path)/\($0)/adapter_model.safetensors")
        }
        #expect(files[0] == files[1])
    }

    @Test(
        "loss and gradients of a step do not depend on how it is split",
        arguments: LossReduction.allCases)
    func splitsAgree(reduction: LossReduction) throws {
        var results: [(loss: Double, gradients: [[Float]])] = []
        for (batch, accumulation) in [(6, 1), (4, 2), (2, 3), (1, 6)] {
            var configuration = quickConfiguration()
            configuration.batchSize = batch
            configuration.gradientAccumulationSteps = accumulation
            configuration.lossReduction = reduction
            let model = tinyModel()
            let trainer = try Trainer(
                model: model, contents: TrainedModel(model), training: countingRecords(6),
                configuration: configuration, folder: folder.path)
            let loss = try trainer.advance().loss
            results.append((loss, model.parameters.map { $0.gradient?.values ?? [] }))
        }
        // Gradients are sums in single precision, of which only the order differs.
        let tolerance = Tolerance(absolute: 1e-7, relative: 1e-5)
        for result in results.dropFirst() {
            #expect(abs(result.loss - results[0].loss) < 1e-6)
            for (gradient, expected) in zip(result.gradients, results[0].gradients) {
                expectClose(gradient, expected.map(Double.init), within: tolerance)
            }
        }
    }

    @Test("the loss is the mean over scored tokens, or over records of their means")
    func reductions() throws {
        let records = countingRecords(6)
        let model = tinyModel()
        let means = records.map { record in
            (
                sum: model.negativeLogLikelihood(of: [record.text()]),
                count: Double(record.scored.count)
            )
        }
        let expected: [LossReduction: Double] = [
            .token: means.reduce(0) { $0 + $1.sum } / means.reduce(0) { $0 + $1.count },
            .record: means.reduce(0) { $0 + $1.sum / $1.count } / 6,
        ]
        for reduction in LossReduction.allCases {
            var configuration = quickConfiguration()
            configuration.batchSize = 6
            configuration.lossReduction = reduction
            let model = tinyModel()
            let trainer = try Trainer(
                model: model, contents: TrainedModel(model), training: records,
                configuration: configuration, folder: folder.path)
            #expect(abs(try trainer.advance().loss - (expected[reduction] ?? 0)) < 1e-5)
            // Validation is always the mean over tokens.
        }
        let trainer = try Trainer(
            model: model, contents: TrainedModel(model), training: records, validation: records,
            configuration: quickConfiguration(), folder: folder.path)
        #expect(abs(try trainer.evaluate().loss - (expected[.token] ?? 0)) < 1e-6)
    }

    @Test("events come in order, and checkpoints beyond the limit go")
    func eventsAndCheckpoints() throws {
        var configuration = quickConfiguration()
        configuration.maxSteps = 5
        configuration.loggingSteps = 2
        configuration.stepsPerEvaluation = 4
        configuration.saveSteps = 2
        configuration.saveTotalLimit = 2
        var events: [String] = []
        let records = countingRecords(18)
        try trainer(configuration, validation: countingRecords(2, seed: 4)).run(report: { event in
            switch event {
            case .started(let outline):
                #expect(outline.records == 18 && outline.validationRecords == 2)
                #expect(outline.totalSteps == 5 && outline.stepsPerEpoch == 5)
                events.append("started")
            case .progress(let progress):
                #expect(progress.totalSteps == 5 && progress.tokensPerSecond > 0)
                #expect((progress.peakBytes ?? 0) > 1 << 20)
                events.append("\(progress.step)")
            case .logged(let metrics): events.append("logged \(metrics.step)")
            case .answered(let sample): events.append(sample.answer)
            case .evaluated(let metrics): events.append("evaluated \(metrics.step)")
            case .saved(let folder): events.append(String(folder.split(separator: "/").last ?? ""))
            case .noticed(let warning): events.append(warning.code)
            case .warning(let text): events.append(text)
            case .finished(let summary): events.append("finished \(summary.step)")
            }
        })
        #expect(
            events == [
                "started", "evaluated 0", "1", "2", "logged 2", "checkpoint-2", "3", "4",
                "logged 4",
                "evaluated 4", "checkpoint-4", "5", "logged 5", "evaluated 5", "checkpoint-5",
                "finished 5",
            ])
        #expect(
            folder.names(in: "out") == [
                "adapter_config.json", "adapter_model.safetensors", "checkpoint-4", "checkpoint-5",
                "metrics.jsonl", "run.json", "trainer_state.json",
            ])
        let scored = try metrics("out").compactMap { $0["scored_tokens"]?.integerValue }
        #expect(scored.reduce(0, +) == records.reduce(0) { $0 + $1.scored.count })
        let state = try JSONValue.read("\(folder.path)/out/trainer_state.json")
        #expect(state["global_step"] == 5 && state["max_steps"] == 5 && state["epoch"] == 1.0)
        #expect(state["log_history"]?.arrayValue?.count == 6)
    }

    @Test("a number that is not finite stops the run before anything is changed")
    func notFinite() throws {
        let model = tinyModel()
        let broken = model.blocks[1].mixer.outProj.weight
        broken.makeTrainable(on: model.engine)
        broken.value.fill(.nan)
        let trainer = try trainer(quickConfiguration(), model: model, records: countingRecords(3))
        let before = trainer.optimizer.parameters.map(\.value.values)
        let error = #expect(throws: TrainingError.self) { try trainer.run() }
        guard case .notFinite(.loss, _, step: 1, let origins) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(
            origins.sorted() == ["counting.jsonl:1", "counting.jsonl:2", "counting.jsonl:3"])
        #expect(trainer.optimizer.parameters.map(\.value.values) == before)
        #expect(folder.names(in: "out") == ["metrics.jsonl", "run.json"])
        #expect(try metrics("out").map { $0["warning"] } == ["endless_warmup", "few_records"])
    }
}
