import Layers
import MambaLM
import Prompting
import Tensors
import TestSupport
import Testing

@testable import FineTuning

@Suite("Dry run")
struct DryRunReportTests {
    @Test("the report tells what a run would do, and changes nothing")
    func report() throws {
        let folder = TemporaryFolder()
        let model = tinyModel()
        let contents = try tinyAdapter(on: model)
        let records = countingRecords(18)
        var configuration = quickConfiguration()
        configuration.epochs = 2
        let trainer = try Trainer(
            model: model, contents: contents, training: records, configuration: configuration,
            folder: "\(folder.path)/out")
        let before = contents.parameters.map(\.value.values)
        let report = trainer.dryRun(tokenizer: nil)

        let order = StepPlan(recordCount: 18, configuration: configuration).order(inEpoch: 0)
        let first = records[order[0]]
        #expect(report.samples.count == 3)
        #expect(report.samples[0].origin == first.origin)
        #expect(
            report.samples[0].masked
                == first.tokens.prefix(first.promptLength).map(String.init).joined(separator: " "))
        #expect(report.samples[0].scoredTokens == first.tokens.count - first.promptLength)
        let kinds = report.kinds
        #expect(kinds.reduce(0) { $0 + $1.count } == contents.parameters.count)
        #expect(kinds.reduce(0) { $0 + $1.values } == report.trainedValues)
        // Held transposed in memory, shown as PEFT has it.
        let embedding = kinds.first { $0.name == "embeddings" }
        #expect(embedding?.shapes.first == [2, 40])
        let inProj = kinds.filter { $0.name == "layers.*.mixer.in_proj" }
        #expect(inProj.map(\.count) == [2 * model.configuration.layers])
        #expect(report.trainedValues == contents.adapters.parameterCount)
        #expect(report.modelValues == model.configuration.parameterCount)
        #expect(report.totalSteps == 10)
        #expect(report.totalTokens == 2 * records.reduce(0) { $0 + $1.tokens.count })
        #expect(report.tokensPerSecond > 0 && report.duration > .zero)
        #expect(contents.parameters.map(\.value.values) == before)
        let gradients = contents.parameters.flatMap { $0.gradient?.values ?? [1] }
        #expect(gradients.allSatisfy { $0 == 0 })
        #expect(folder.names() == [])
    }

    @Test("a run that does not fit is refused with the largest setting that would")
    func refusal() throws {
        let model = tinyModel()
        let contents = try tinyAdapter(on: model)
        let records = countingRecords(18)
        var configuration = quickConfiguration()
        (configuration.batchSize, configuration.gradientAccumulationSteps) = (6, 2)
        func plan(_ batchSize: Int, _ accumulation: Int) -> MemoryPlan {
            var x = configuration
            (x.batchSize, x.gradientAccumulationSteps) = (batchSize, accumulation)
            return MemoryPlan(
                model: model, contents: contents, training: records, configuration: x)
        }
        func refusal(_ available: Int) throws -> (needed: Int, fit: MemoryPlan.Fit?) {
            let error = #expect(throws: TrainingError.self) {
                try Trainer(
                    model: model, contents: contents, training: records,
                    configuration: configuration, folder: "/nowhere", availableBytes: available)
            }
            guard case .memory(let needed, available, let fit)? = error else {
                Issue.record("\(String(describing: error))")
                return (0, nil)
            }
            return (needed.total, fit)
        }
        let whole = plan(6, 2)
        try whole.requireRoom(in: whole.estimate.total)
        #expect(try refusal(whole.estimate.total - 1).needed == whole.estimate.total)
        // As many records a step: 4 batches of 3, or 12 of 1.
        let (three, one) = (plan(3, 4).estimate.total, plan(1, 12).estimate.total)
        try #require(one < three && three < whole.estimate.total)
        #expect(try refusal(three).fit == .batches(of: 3, accumulation: 4))
        #expect(try refusal(one).fit == .batches(of: 1, accumulation: 12))
        guard case .length(let tokens) = try refusal(one - 1).fit else {
            Issue.record("shorter records would fit")
            return
        }
        #expect(tokens > 1 && tokens < records.map(\.tokens.count).max() ?? 0)
        #expect(try refusal(1000).fit == nil)
        // What --batch-size auto takes.
        #expect(whole.fittingBatches(in: nil) == configuration)
        #expect(whole.fittingBatches(in: whole.estimate.total) == configuration)
        let fitting = whole.fittingBatches(in: three)
        #expect((fitting.batchSize, fitting.gradientAccumulationSteps) == (3, 4))
    }

    @Test("the refusal is one sentence with the amounts and the remedy")
    func sentence() {
        let estimate = MemoryEstimate(
            modelBytes: 500 << 20, trainedValues: 0, addedValues: 0,
            working: WorkingMemory(activations: 150 << 20, kept: 30 << 20, head: 20 << 20))
        let error = TrainingError.memory(
            needed: estimate, available: 400 << 20, fit: .batches(of: 2, accumulation: 8))
        #expect(
            "\(error)"
                == "the run needs about 700 MiB of memory (weights 500, optimiser 0, activations 180, logits 20), "
                + "expected at most 400 MiB, which are free; the largest that fits is --batch-size 2 "
                + "--gradient-accumulation-steps 8")
    }

    @Test("working memory is what the buffers then hold", arguments: [0, 15_000, 1 << 20])
    func memory(keptBytes: Int) throws {
        for trainsAll in [false, true] {
            let model = tinyModel()
            model.keptBytes = keptBytes
            if trainsAll {
                model.parameters.forEach { $0.makeTrainable(on: model.engine) }
            } else {
                try tinyAdapter(on: model, dropout: 0).adapters.makeTrainable()
            }
            let record = TrainingRecord(
                tokens: (0..<40).map { Int32($0) }, promptLength: 10,
                origin: RecordOrigin(file: "memory", line: 1))
            let texts = [record.text(), record.text()]
            let expected = model.workingMemory(tokens: 80, scoredTokens: 60)
            _ = model.accumulateGradients(of: texts, dropoutSeed: nil)
            #expect(model.heldMemory == expected)
            #expect((expected.kept > 0) == (keptBytes > 0))
        }
        let estimate = MemoryEstimate(
            modelBytes: 7000, trainedValues: 50, addedValues: 30,
            working: WorkingMemory(activations: 3, kept: 4, head: 5))
        #expect(estimate.weights == 7000 + 4 * 30)
        #expect(estimate.optimizer == 600)
        #expect(estimate.total == 7120 + 600 + 12)
    }
}
