import LoRA
import MambaLM
import Prompting
import Tensors
import TestSupport

@testable import FineTuning

/// A small random model, always the same.
func tinyModel(threads: Int = 1) -> MambaModel {
    var configuration = MambaConfiguration()
    configuration.vocabulary = 40
    configuration.model = 8
    configuration.layers = 2
    configuration.inner = 16
    configuration.state = 4
    configuration.stepRank = 2
    var generator = SplitMix64(seed: 7)
    return .random(configuration, engine: makeEngine(threads: threads), using: &generator)
}

/// A fresh adapter on a model, with dropout.
func tinyAdapter(on model: MambaModel, dropout: Double = 0.1) throws -> TrainedAdapter {
    var configuration = LoRAConfiguration()
    configuration.rank = 2
    configuration.alpha = 4
    configuration.dropout = dropout
    var generator = SplitMix64(seed: 8)
    return TrainedAdapter(try .attach(configuration, to: model, using: &generator))
}

/// Records that count upwards by a stride which the prompt shows, of various lengths.
func countingRecords(_ count: Int, seed: UInt64 = 9) -> [TrainingRecord] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { index in
        let (start, stride) = (generator.next(below: 40), 1 + generator.next(below: 3))
        let (prompt, answer) = (2 + generator.next(below: 4), 1 + generator.next(below: 6))
        return TrainingRecord(
            tokens: (0..<prompt + answer).map { Int32((start + stride * $0) % 40) },
            promptLength: prompt, origin: RecordOrigin(file: "counting.jsonl", line: index + 1))
    }
}

/// Settings that show something within a few steps.
func quickConfiguration() -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    configuration.learningRate = 1e-2
    configuration.warmupSteps = 2
    configuration.batchSize = 2
    configuration.gradientAccumulationSteps = 2
    configuration.loggingSteps = 1
    return configuration
}
