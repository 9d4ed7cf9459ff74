import FineTuning
import LoRA
import MambaLM
import Tensors
import TreeSSMText

/// A model with an adapter in training, and the runs of it that are measured.
final class ModelBench {
    let model: MambaModel
    private let adapters: LoRAAdapterSet
    private let optimizer: Optimizer

    /// Loads the model of a folder with the tree's flow, and attaches a fresh adapter.
    init(folder: String, engine: any Engine, format: WeightMatrix.Format = .float32) throws {
        model = try MambaModel.load(folder: folder, engine: engine, format: format).model
        model.flow = TreeFlow()
        var generator = SplitMix64(seed: 1)
        adapters = try LoRAAdapterSet.attach(LoRAConfiguration(), to: model, using: &generator)
        optimizer = Optimizer(
            adapters.parameters, configuration: TrainingConfiguration(), engine: engine)
    }

    /// One optimiser step, as the trainer does it.
    func train(_ records: [BenchRecord]) {
        optimizer.clearGradients()
        for pass in BenchRecord.passes(records) {
            let batch = TokenBatch(
                pass.map { .init(tokens: $0.tokens, promptLength: $0.promptLength) })
            _ = model.accumulateGradients(of: batch, BenchRecord.scored(pass, in: batch))
        }
        optimizer.update(learningRate: 1e-5, norm: optimizer.gradientNorm().value)
    }

    /// Log-probabilities of the records' answers, a pass at a time.
    func score(_ records: [BenchRecord]) {
        for pass in BenchRecord.passes(records) {
            let batch = TokenBatch(
                pass.map { .init(tokens: $0.tokens, promptLength: $0.promptLength) })
            _ = model.score(batch, BenchRecord.scored(pass, in: batch))
        }
    }

    /// Reads a text from its beginning.
    func prefill(_ tokens: [Int32]) -> SequenceState {
        model.read(TokenBatch([.init(tokens: tokens, promptLength: tokens.count)])).states[0]
    }

    /// Reads one more token, from a state that stays as it is.
    func decode(after state: SequenceState) -> SequenceState {
        model.read(TokenBatch([.init(tokens: [17], state: state)])).states[0]
    }
}

/// A record of random tokens: the time of a step does not depend on which they are.
struct BenchRecord {
    let tokens: [Int32]
    let promptLength: Int

    /// Makes a record of which the first half is the prompt.
    init(length: Int, seed: UInt64, vocabulary: Int) {
        var generator = SplitMix64(seed: seed)
        tokens = (0..<length).map { _ in Int32(generator.nextUniform(1, Double(vocabulary))) }
        promptLength = length / 2
    }

    /// As many records of at most 128 tokens as make up a number of tokens.
    static func records(tokens: Int, vocabulary: Int) -> [BenchRecord] {
        let length = min(tokens, 128)
        return (0..<tokens / length).map {
            BenchRecord(length: length, seed: UInt64($0), vocabulary: vocabulary)
        }
    }

    /// What is computed at once: as much as the trainer does.
    static func passes(_ records: [BenchRecord]) -> [[BenchRecord]] {
        let length = records.first?.tokens.count ?? 1
        let count = max(1, StepPlan.tokensPerPass / length)
        return stride(from: 0, to: records.count, by: count).map {
            Array(records[$0..<min($0 + count, records.count)])
        }
    }

    /// All tokens after the prompts.
    static func scored(_ records: [BenchRecord], in batch: TokenBatch) -> [ScoredToken] {
        let count = records.reduce(0) { $0 + $1.tokens.count - $1.promptLength }
        return zip(records, batch.rows).flatMap { record, rows in
            (record.promptLength..<record.tokens.count).map {
                ScoredToken(
                    row: rows.lowerBound + $0 - 1, target: record.tokens[$0],
                    weight: 1 / Float(count))
            }
        }
    }
}
