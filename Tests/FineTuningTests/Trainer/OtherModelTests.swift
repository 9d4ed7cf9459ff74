import FineTuning
import Layers
import LoRA
import Storage
import Tensors
import TestSupport
import Testing

/// Adapters and the trainer know layers, not one kind of model.
@Suite("Fine-tuning another model")
struct OtherModelTests {
    private let folder: TemporaryFolder

    init() throws { folder = TemporaryFolder() }

    @Test("adapters on an embedding and a linear layer learn, are stored, and merge")
    func learns() throws {
        let model = BigramModel()
        var configuration = LoRAConfiguration()
        configuration.rank = 4
        configuration.targetModules = ["table", "head"]
        var generator = SplitMix64(seed: 3)
        let adapters = try LoRAAdapterSet.attach(configuration, to: model, using: &generator)
        let before = model.parameters.map(\.value.values)
        var settings = quickConfiguration()
        settings.maxSteps = 60
        settings.learningRate = 5e-2
        let trainer = try Trainer(
            model: model, contents: TrainedAdapter(adapters), training: countingRecords(30),
            configuration: settings, folder: "\(folder.path)/out")
        var losses: [Double] = []
        try trainer.run(report: {
            if case .logged(let metrics) = $0 { losses.append(metrics.loss) }
        })
        #expect(losses[0] > 3.5)
        #expect(losses.suffix(5).reduce(0, +) / 5 < 2)
        #expect(model.parameters.map(\.value.values) == before)

        let texts = countingRecords(10, seed: 10).map {
            ScoredText(tokens: $0.tokens, promptLength: $0.promptLength, scored: $0.scored)
        }
        let loss = model.negativeLogLikelihood(of: texts)
        let merged = adapters.merged(into: model).negativeLogLikelihood(of: texts)
        #expect(abs(merged - loss) < 1e-4 * loss)

        let other = BigramModel()
        _ = try LoRAAdapterSet.read("\(folder.path)/out", attachingTo: other)
        #expect(other.negativeLogLikelihood(of: texts) == loss)
    }

    @Test("a whole model is trained and goes on from its checkpoint as if unbroken")
    func resumes() throws {
        func train(_ name: String, steps: Int, resuming: Bool = false) throws -> [[Float]] {
            let model = BigramModel()
            var settings = quickConfiguration()
            (settings.maxSteps, settings.saveSteps) = (steps, 3)
            try Trainer(
                model: model, contents: TrainedModel(model), training: countingRecords(12),
                configuration: settings, folder: "\(folder.path)/\(name)"
            ).run(resuming: resuming)
            return model.parameters.map(\.value.values)
        }
        let unbroken = try train("whole", steps: 6)
        _ = try train("parts", steps: 3)
        #expect(try train("parts", steps: 6, resuming: true) == unbroken)
    }
}

/// A model that predicts each token from the one before it.
private final class BigramModel: AdaptableModel, TrainableModel {
    private static let (vocabulary, width) = (40, 6)

    let engine: any Engine
    private let table: Embedding
    private let head: Linear

    init() {
        engine = makeEngine()
        var generator = SplitMix64(seed: 5)
        let (vocabulary, width) = (Self.vocabulary, Self.width)
        func parameter(_ name: String, _ role: Parameter.Role, _ bound: Double) -> Parameter {
            Parameter(
                name: name, role: role,
                value: .filled([vocabulary, width]) { generator.nextUniform(-bound, bound) })
        }
        table = Embedding(weight: parameter("table.weight", .table, 1))
        head = Linear(
            weight: parameter("head.weight", .weight, 0.4),
            bias: Parameter(name: "head.bias", role: .bias, value: Tensor(shape: [vocabulary])))
    }

    private init(_ other: BigramModel, table: Embedding, head: Linear) {
        (engine, self.table, self.head) = (other.engine, table, head)
    }

    var parameters: [Parameter] { [table.weight, head.weight] + [head.bias].compactMap { $0 } }

    var adaptableLayers: [AdaptableLayer] {
        [AdaptableLayer(.embedding(table)), AdaptableLayer(.linear(head), isHead: true)]
    }

    var contentFingerprint: String {
        parameters.map { "\($0.contentHash)" }.joined(separator: " ")
    }

    func replacing(_ weights: [String: Tensor]) -> BigramModel {
        func weight(_ base: Parameter, _ name: String) -> Parameter {
            weights[name].map { Parameter(name: base.name, role: base.role, value: $0) } ?? base
        }
        return BigramModel(
            self, table: Embedding(weight: weight(table.weight, table.name)),
            head: Linear(weight: weight(head.weight, head.name), bias: head.bias))
    }

    func accumulateGradients(of texts: [ScoredText], dropoutSeed: UInt64?) -> Deferred<Double> {
        let weights = texts.flatMap { text in text.scored.map { _ in text.weight } }
        let (run, scores) = run(texts, weights: weights, dropoutSeed: dropoutSeed)
        let gradHidden = engine.tensor(run.hidden.shape)
        head.backward(run.logits, x: run.hidden, into: gradHidden, in: run.pass)
        table.backward(gradHidden, tokens: run.rows, in: run.pass)
        return Deferred {
            zip(weights, scores.value.logProbabilities).reduce(0) { $0 - Double($1.0) * $1.1 }
        }
    }

    func negativeLogLikelihood(of texts: [ScoredText]) -> Double {
        run(texts).scores.value.logProbabilities.reduce(0, -)
    }

    func likeliestAnswer(to prompt: [Int32], limit: Int, endTokens: Set<Int32>) -> [Int32] {
        var answer: [Int32] = []
        while answer.count < limit, let last = answer.last ?? prompt.last {
            let scores = (0..<Int32(Self.vocabulary)).map { next in
                negativeLogLikelihood(
                    of: [ScoredText(tokens: [last, next], promptLength: 1, scored: 1..<2)])
            }
            let best = Int32(scores.indices.min { scores[$0] < scores[$1] } ?? 0)
            guard !endTokens.contains(best) else { break }
            answer.append(best)
        }
        return answer
    }

    func workingMemory(tokens: Int, scoredTokens: Int) -> WorkingMemory {
        WorkingMemory(activations: 0, kept: 0, head: 4 * scoredTokens * Self.vocabulary)
    }

    func save(folder: String) throws {
        let values = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value) })
        try SafetensorsWriter.write(
            parameters.map { .init(name: $0.name, type: .float32, shape: $0.shape) },
            metadata: SafetensorsWriter.ownMetadata, to: "\(folder)/model.safetensors"
        ) { try $1.write(floats: values[$0.name]?.values ?? []) }
    }

    private struct Run {
        let rows: RowIndices
        let hidden, logits: Tensor
        let pass: Pass
    }

    private func run(
        _ texts: [ScoredText], weights: [Float]? = nil, dropoutSeed: UInt64? = nil
    ) -> (run: Run, scores: Deferred<CrossEntropy.Result>) {
        let pass = Pass(
            engine: engine, buffers: AdapterBuffers(of: engine), dropoutSeed: dropoutSeed)
        let rows = RowIndices(texts.flatMap { text in text.scored.map { text.tokens[$0 - 1] } })
        let hidden = engine.tensor([rows.count, Self.width])
        let logits = engine.tensor([rows.count, Self.vocabulary])
        table.forward(rows, into: hidden, in: pass)
        head.forward(hidden, into: logits, in: pass)
        let targets = texts.flatMap { text in text.scored.map { text.tokens[$0] } }
        let scores = engine.crossEntropy(
            logits, CrossEntropy.Inputs(targets: targets, gradientWeights: weights))
        return (Run(rows: rows, hidden: hidden, logits: logits, pass: pass), scores)
    }
}
