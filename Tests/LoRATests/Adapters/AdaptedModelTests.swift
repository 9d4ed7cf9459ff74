import Kernels
import MambaLM
import Tensors
import TestSupport
import Testing

@testable import LoRA

@Suite("Models with adapters")
struct AdaptedModelTests {
    private let batch = TokenBatch([
        .init(tokens: [3, 1, 4, 1, 5, 9]), .init(tokens: [2, 6, 5, 3]),
    ])
    private let scored = [
        ScoredToken(row: 0, target: 1), ScoredToken(row: 3, target: 5, weight: 0.5),
        ScoredToken(row: 4, target: 9), ScoredToken(row: 8, target: 3, weight: 2),
    ]

    /// A model and adapters of all layers whose factors are all random.
    private func make(
        dropout: Double = 0, targets: [String] = ["all-linear", "embeddings", "lm_head"]
    ) throws -> (model: MambaModel, adapters: LoRAAdapterSet) {
        var generator = SeededGenerator(seed: 21)
        var configuration = LoRAConfiguration()
        (configuration.rank, configuration.alpha, configuration.dropout) = (2, 3, dropout)
        configuration.targetModules = targets
        let model = TinyModel.make()
        let adapters = try LoRAAdapterSet.attach(configuration, to: model, using: &generator)
        for parameter in adapters.parameters {
            parameter.replaceValue(
                .random(parameter.value.shape, in: -0.3...0.3, using: &generator))
        }
        return (model, adapters)
    }

    @Test("fresh adapters leave the model's results as they are")
    func freshAdapters() throws {
        let model = TinyModel.make()
        let before = model.score(batch, scored).logProbabilities
        var generator = SeededGenerator(seed: 1)
        _ = try LoRAAdapterSet.attach(LoRAConfiguration(), to: model, using: &generator)
        #expect(model.score(batch, scored).logProbabilities == before)
    }

    @Test(
        "a merged model gives the results of the adapted one",
        arguments: [
            ["embeddings"], ["lm_head"], ["all-linear"], ["all-linear", "embeddings", "lm_head"],
        ])
    func merging(targets: [String]) throws {
        let (model, adapters) = try make(targets: targets)
        let adapted = model.score(batch, scored).logProbabilities
        let merged = adapters.merged(into: model).score(batch, scored).logProbabilities
        expectClose(merged.map { Float($0) }, adapted, within: .singlePrecision)
        adapters.detach()
        let base = model.score(batch, scored).logProbabilities
        #expect(zip(base, adapted).contains { abs($0 - $1) > 0.01 })
    }

    @Test("the gradient of every adapter is that of the loss", arguments: [0, 0.3])
    func gradients(dropout: Double) throws {
        let (model, adapters) = try make(dropout: dropout)
        adapters.makeTrainable()
        func loss() -> Double {
            for parameter in adapters.parameters { parameter.clearGradient(on: model.engine) }
            return model.accumulateGradients(of: batch, scored, dropoutSeed: 7).value
        }
        let start = loss()
        #expect(loss() == start)
        for parameter in adapters.parameters {
            _ = loss()
            let gradient = try #require(parameter.gradient).values
            // Along the gradient the loss rises by the gradient's length.
            let length = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            #expect(length > 0.01, "\(parameter.name)")
            let (value, step) = (parameter.value.copy(), 0.002)
            func moved(_ sign: Double) -> Double {
                parameter.value.values = zip(value.values, gradient).map {
                    Float(Double($0) + sign * step * Double($1) / length)
                }
                return loss()
            }
            let slope = (moved(1) - moved(-1)) / (2 * step)
            parameter.value.copy(from: value)
            // The loss is good to about 1e-6, which the step magnifies by 250.
            #expect(
                abs(slope - length) < 5e-3 * length + 1e-3,
                "\(parameter.name): \(slope), \(length)")
        }
    }

    @Test(
        "beside bfloat16 weights gradients are those beside weights that were rounded",
        arguments: InstructionSet.available)
    func reducedWeights(_ set: InstructionSet) throws {
        let folder = TemporaryFolder()
        try TinyModel.make().save(folder: folder.path)
        func load(_ format: WeightMatrix.Format) throws -> MambaModel {
            try MambaModel.load(
                folder: folder.path, engine: makeEngine(threads: 2, instructionSet: set),
                format: format
            ).model
        }
        let (reduced, exact, original) = (
            try load(.bfloat16), try load(.float32), try load(.float32)
        )
        for (one, other) in zip(exact.parameters, reduced.parameters) {
            one.replaceValue(other.matrix.expanded())
        }
        func gradients(_ model: MambaModel) throws -> [Float] {
            var generator = SeededGenerator(seed: 8)
            let adapters = try LoRAAdapterSet.attach(
                LoRAConfiguration(), to: model, using: &generator)
            for parameter in adapters.parameters {
                parameter.replaceValue(.random(parameter.shape, in: -0.3...0.3, using: &generator))
            }
            adapters.makeTrainable()
            _ = model.accumulateGradients(of: batch, scored).value
            return adapters.parameters.flatMap { $0.gradient?.values ?? [] }
        }
        func distance(_ one: [Float], _ other: [Float]) -> Float {
            zip(one, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
        }
        let expected = try gradients(exact)
        #expect(expected.contains { $0 != 0 })
        let found = try gradients(reduced)
        if set >= .avx512bf16 {
            // The other factor is rounded, too, which changes about as much as rounding the weights did.
            let bound = 2 * distance(expected, try gradients(original))
            #expect(distance(found, expected) < bound)
            #expect(found != expected)
        } else {
            #expect(found == expected)
        }
    }

    @Test("the loss falls along the gradient, and only adapters move")
    func training() throws {
        let (model, adapters) = try make()
        adapters.makeTrainable()
        let base = model.parameters.map(\.value.values)
        let losses = (0..<60).map { _ in
            for parameter in adapters.parameters { parameter.clearGradient(on: model.engine) }
            let loss = model.accumulateGradients(of: batch, scored).value
            for parameter in adapters.parameters {
                if let gradient = parameter.gradient {
                    model.engine.add(gradient, scale: -0.01, to: parameter.value)
                }
            }
            return loss
        }
        #expect((losses.last ?? .infinity) < losses[0] / 2)
        #expect(model.parameters.map(\.value.values) == base)
    }
}
