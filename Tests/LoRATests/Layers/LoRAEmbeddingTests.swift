import Layers
import LoRA
import MambaLM
import Tensors
import TestSupport
import Testing

/// Sizes of one term and the tokens looked up.
struct EmbeddingCase: CustomTestStringConvertible {
    let tokens: [Int32]
    let vocabulary, model, rank: Int

    static let all = [
        EmbeddingCase(tokens: [0], vocabulary: 1, model: 1, rank: 1),
        EmbeddingCase(tokens: [2, 0, 2, 2], vocabulary: 4, model: 3, rank: 2),
        EmbeddingCase(tokens: [6, 5, 4, 3, 3, 1, 0, 6], vocabulary: 7, model: 5, rank: 4),
    ]

    var testDescription: String { "\(tokens) of \(vocabulary), [\(model), \(rank)]" }
}

@Suite("Adapter of the embedding")
struct LoRAEmbeddingTests {
    private let scaling: Float = 0.75
    private let engine: any Engine = makeEngine(threads: 2)
    private var pass: Pass {
        Pass(engine: engine, buffers: AdapterBuffers(of: engine), dropoutSeed: 1)
    }

    private func make(_ sizes: EmbeddingCase) -> (adapter: LoRAEmbedding, y: Tensor, gradY: Tensor)
    {
        var generator = SeededGenerator(seed: 4)
        func random(_ shape: [Int]) -> Tensor { .random(shape, in: -1...1, using: &generator) }
        let adapter = LoRAEmbedding(
            loraA: Parameter(name: "A", value: random([sizes.vocabulary, sizes.rank])),
            loraB: Parameter(name: "B", value: random([sizes.model, sizes.rank])),
            scaling: scaling)
        return (
            adapter, random([sizes.tokens.count, sizes.model]),
            random([sizes.tokens.count, sizes.model])
        )
    }

    @Test("the rows looked up grow by the term", arguments: EmbeddingCase.all)
    func forward(sizes: EmbeddingCase) {
        let (adapter, y, _) = make(sizes)
        let before = y.values
        adapter.add(RowIndices(sizes.tokens), to: y, in: pass)
        let term = LoRAReference.embedding(
            tokens: sizes.tokens, loraA: adapter.loraA.value, loraB: adapter.loraB.value,
            scaling: Double(scaling))
        expectClose(y.values, zip(before, term).map { Double($0) + $1 }, within: .singlePrecision)
    }

    @Test("gradients are added and are those of the reference", arguments: EmbeddingCase.all)
    func gradients(sizes: EmbeddingCase) throws {
        let (adapter, _, gradY) = make(sizes)
        let (loraA, loraB) = (adapter.loraA.value, adapter.loraB.value)
        func loss(loraA: Tensor, loraB: Tensor) -> Double {
            weightedSum(
                LoRAReference.embedding(
                    tokens: sizes.tokens, loraA: loraA, loraB: loraB, scaling: Double(scaling)),
                gradY)
        }
        for parameter in adapter.parameters {
            parameter.makeTrainable(on: engine)
            parameter.gradient?.fill(1)
        }
        adapter.backward(gradY, tokens: RowIndices(sizes.tokens), in: pass)
        expectClose(
            try #require(adapter.loraA.gradient).values,
            centralDifference(at: loraA) { loss(loraA: $0, loraB: loraB) }.map { $0 + 1 },
            within: .singlePrecision)
        expectClose(
            try #require(adapter.loraB.gradient).values,
            centralDifference(at: loraB) { loss(loraA: loraA, loraB: $0) }.map { $0 + 1 },
            within: .singlePrecision)
    }

    @Test("a gradient is the same when the other parameter is frozen")
    func partialGradients() {
        func gradients(_ trained: [Int]) -> [[Float]?] {
            let (adapter, _, gradY) = make(EmbeddingCase.all[2])
            for index in trained { adapter.parameters[index].makeTrainable(on: engine) }
            adapter.backward(gradY, tokens: RowIndices(EmbeddingCase.all[2].tokens), in: pass)
            return adapter.parameters.map { $0.gradient?.values }
        }
        let both = gradients([0, 1])
        #expect(gradients([0]) == [both[0], nil])
        #expect(gradients([1]) == [nil, both[1]])
    }
}
