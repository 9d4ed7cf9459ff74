import Layers
import MambaLM
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

    @Test("the memory formula, by hand")
    func memory() {
        var configuration = MambaConfiguration()
        configuration.vocabulary = 100
        configuration.model = 8
        configuration.layers = 2
        configuration.inner = 16
        configuration.state = 4
        configuration.stepRank = 2
        var generator = SeededGenerator(seed: 1)
        let model = MambaModel.random(configuration, engine: makeEngine(), using: &generator)
        model.keptBytes = 15_000
        let estimate = MemoryEstimate(
            modelBytes: 7000, trainedValues: 50, addedValues: 30,
            working: model.workingMemory(tokens: 80, scoredTokens: 16))
        #expect(estimate.weights == 7000 + 4 * 30)
        #expect(estimate.optimizer == 600)
        // 8 * 3 + 7 * 16 + 2 * 10 values a token, 100 + 32 a scored token, and an eighth more.
        #expect(estimate.activations == 4 * 80 * 156 * 9 / 8)
        // One projection takes 80 * 32 values; one fits into 15,000 bytes.
        #expect(estimate.kept == 4 * 80 * 32 * 9 / 8)
        #expect(estimate.head == 4 * 16 * 132 * 9 / 8)
    }
}
