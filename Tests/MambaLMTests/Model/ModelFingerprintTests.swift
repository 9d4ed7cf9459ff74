import Layers
import MambaLM
import Tensors
import TestSupport
import Testing

@Suite("Fingerprints of models")
struct ModelFingerprintTests {
    private func model(_ change: (inout MambaConfiguration) -> Void = { _ in }) -> MambaModel {
        var configuration = MambaConfiguration()
        (configuration.vocabulary, configuration.model, configuration.layers) = (30, 8, 2)
        (configuration.inner, configuration.state, configuration.stepRank) = (12, 4, 2)
        change(&configuration)
        var generator = SeededGenerator(seed: 5)
        return MambaModel.random(configuration, engine: makeEngine(threads: 1), using: &generator)
    }

    private func replace(_ parameter: Parameter, _ change: (inout [Float]) -> Void) {
        let copy = parameter.value.copy()
        var values = copy.values
        change(&values)
        copy.values = values
        parameter.replaceValue(copy)
    }

    @Test("the same contents have the same fingerprint, which says what it is of")
    func same() {
        let fingerprint = model().fingerprint
        #expect(fingerprint == model().fingerprint)
        #expect(fingerprint.weights.hasPrefix("mamba 2x8x12x4x30 float32 "))
        #expect(fingerprint.model == fingerprint.weights)
        #expect(fingerprint.description == "\(fingerprint.weights), chain, gain 1.0")
    }

    // Both fingerprints before this one were sums of squares or looked at samples: signs and places of values did
    // not count, and 1,200 of 1,200 scores of an adapter with another scale were taken for its own.
    @Test("every value counts, with its sign, place and last bit")
    func values() {
        let model = model()
        var seen = [model.fingerprint.weights]
        for parameter in model.parameters {
            replace(parameter) { $0[$0.count - 1] = -$0[$0.count - 1].nextUp }
            seen.append(model.fingerprint.weights)
            replace(parameter) { $0[0].negate() }
            seen.append(model.fingerprint.weights)
        }
        replace(model.blocks[1].mixer.inProj.weight) { $0.swapAt(3, 4) }
        seen.append(model.fingerprint.weights)
        replace(model.blocks[1].mixer.inProj.weight) { $0[7] = 0 }
        seen.append(model.fingerprint.weights)
        replace(model.blocks[1].mixer.inProj.weight) { $0[7] = -0.0 }
        seen.append(model.fingerprint.weights)
        #expect(Set(seen).count == seen.count)
    }

    @Test("sizes and switches count")
    func configurations() {
        let models = [
            model(), model { $0.epsilon = 1e-6 }, model { $0.hasBias = true },
            model { $0.tiesEmbeddings = false }, model { $0.layers = 1 },
        ]
        #expect(Set(models.map(\.fingerprint.weights)).count == models.count)
    }

    @Test("a value that training changes counts at once, and after it")
    func trainable() {
        let model = model()
        let parameter = model.normF.weight
        let before = model.fingerprint
        parameter.makeTrainable(on: model.engine)
        #expect(model.fingerprint == before)
        parameter.value.fill(0.5)
        let trained = model.fingerprint
        #expect(trained != before)
        parameter.value.fill(0.25)
        parameter.freeze()
        #expect(model.fingerprint != trained)
    }

    @Test("an adapter counts with its layer, scaling and values, the topology with its settings")
    func adapters() {
        let model = model()
        let bare = model.fingerprint
        var seen = [bare.model]
        let mixer = model.blocks[0].mixer
        for (layer, scaling, value) in [
            (mixer.outProj, 1, 2), (mixer.outProj, 10, 2), (mixer.outProj, 1, -2),
            (mixer.inProj, 1, 2), (model.lmHead, 1, 2),
        ] as [(Linear, Float, Float)] {
            layer.adapter = ScalingAdapter(scaling: scaling, value: value)
            let fingerprint = model.fingerprint
            #expect(fingerprint.weights == bare.weights)
            #expect(fingerprint.model.hasPrefix("\(bare.weights), adapter "))
            seen.append(fingerprint.model)
            layer.adapter = nil
        }
        #expect(model.fingerprint == bare)
        #expect(Set(seen).count == seen.count)
        model.flow = ChainFlow(gain: 1.5)
        #expect(model.fingerprint != bare)
        #expect(model.fingerprint.model == bare.model)
    }

    @Test("a matrix counts in the format that it is kept in, scales included")
    func formats() {
        let (model, values) = (model(), Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]))
        let halves = Tensor([1, 2, 3, 2, 2.5, 3], shape: [2, 3])
        let matrices = WeightMatrix.Format.allCases.flatMap { format in
            [values, halves].map { WeightMatrix(rounding: $0, to: format) }
        }
        let prints = matrices.map { matrix in
            MambaModel(
                configuration: model.configuration, embeddings: model.embeddings,
                blocks: model.blocks, normF: model.normF,
                lmHead: Linear(weight: Parameter(name: "head", matrix: matrix)),
                engine: model.engine
            ).fingerprint.weights
        }
        #expect(Set(prints).count == prints.count)
    }
}

/// An adapter that does nothing and has one parameter.
private final class ScalingAdapter: LinearAdapter {
    let parameters: [Parameter]
    let scaling: Float
    let widths = AdapterBuffers.Widths()

    init(scaling: Float, value: Float) {
        self.scaling = scaling
        parameters = [Parameter(name: "scale", value: Tensor([value], shape: [1]))]
    }

    func term(_ x: Tensor, in pass: Pass) -> LowRankProduct {
        LowRankProduct(left: Tensor(shape: [x.rows, 0]), right: Tensor(shape: [0, 0]))
    }
    func gradHidden(_ gradY: Tensor, in pass: Pass) -> Tensor { Tensor(shape: [gradY.rows, 0]) }
    func addGradients(_ gradY: Tensor, x: Tensor, gradHidden: Tensor?, in pass: Pass) {}
    func inputTerm(_ gradHidden: Tensor, in pass: Pass) -> LowRankProduct? { nil }
    func inputGradient(
        _ gradHidden: Tensor, adding addend: Tensor?, into gradX: Tensor, in pass: Pass
    ) {}
}
