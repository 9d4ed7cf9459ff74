import Layers
import MambaLM
import Tensors
import TestSupport
import Testing

@testable import LoRA

@Suite("Merging adapters")
struct MergeTests {
    /// Adapters whose factors are all random, attached to `model`.
    private func attach(_ targets: [String], to model: MambaModel) throws -> LoRAAdapterSet {
        var generator = SeededGenerator(seed: 9)
        var configuration = LoRAConfiguration()
        (configuration.rank, configuration.alpha, configuration.targetModules) = (3, 2, targets)
        let adapters = try LoRAAdapterSet.attach(configuration, to: model, using: &generator)
        for parameter in adapters.parameters {
            parameter.replaceValue(
                .random(parameter.value.shape, in: -1...1, using: &generator))
        }
        return adapters
    }

    /// `weight + 2 / 3 * B · A` in `Double`; `A` is `[rank, columns]`.
    private func expected(_ weight: Tensor, loraA: Tensor, loraB: Tensor) -> [Double] {
        var result: [Double] = []
        for row in 0..<weight.rows {
            for column in 0..<weight.columns {
                var sum = 0.0
                for r in 0..<loraA.rows { sum += Double(loraB[row, r]) * Double(loraA[r, column]) }
                result.append(Double(weight[row, column]) + 2.0 / 3 * sum)
            }
        }
        return result
    }

    @Test("a linear layer's weight grows by scaling * B · A, all else is shared")
    func linear() throws {
        let model = TinyModel.make()
        let adapters = try attach(["1.mixer.x_proj"], to: model)
        let merged = adapters.merged(into: model)
        let (base, result) = (model.blocks[1].mixer.xProj, merged.blocks[1].mixer.xProj)
        expectClose(
            result.weight.value.values,
            expected(
                base.weight.value, loraA: adapters.parameters[0].value,
                loraB: adapters.parameters[1].value), within: .singlePrecision)
        #expect(result.adapter == nil && base.adapter != nil)
        #expect(
            base.weight.value.values == TinyModel.make().blocks[1].mixer.xProj.weight.value.values)
        for (before, after) in zip(model.parameters, merged.parameters) {
            #expect(before.name == after.name)
            #expect((before === after) == (before !== base.weight))
        }
        #expect(merged.isTied && merged.configuration == model.configuration)
    }

    @Test("a merged layer gives what the adapted layer gives")
    func layerOutputs() throws {
        let model = TinyModel.make()
        let merged = try attach(["dt_proj", "embeddings"], to: model).merged(into: model)
        let pass = Pass(engine: model.engine, buffers: AdapterBuffers(of: model.engine))
        var generator = SeededGenerator(seed: 2)
        let x = Tensor.random([5, 2], in: -1...1, using: &generator)
        let outputs = [model, merged].map { model in
            let y = Tensor(shape: [5, 8])
            model.blocks[0].mixer.dtProj.forward(x, into: y, in: pass)
            let rows = Tensor(shape: [4, 6])
            model.embeddings.forward([10, 0, 3, 3], into: rows, in: pass)
            return y.values + rows.values
        }
        expectClose(outputs[1], outputs[0].map(Double.init), within: .singlePrecision)
    }

    @Test("an adapted embedding is untied from the output projection, which stays as it was")
    func tiedEmbedding() throws {
        let model = TinyModel.make()
        let adapters = try attach(["embeddings"], to: model)
        let merged = adapters.merged(into: model)
        let table = model.embeddings.weight.value
        // The parameter is [vocabulary, rank]: (B · A)ᵀ is Aᵀ · Bᵀ.
        let (loraA, loraB) = (adapters.parameters[0].value, adapters.parameters[1].value)
        expectClose(
            merged.embeddings.weight.value.values,
            expected(table, loraA: loraB.transposed(), loraB: loraA), within: .singlePrecision)
        #expect(merged.lmHead.weight.value.values == table.values)
        #expect(!merged.isTied && !merged.configuration.tiesEmbeddings)
        #expect(model.isTied && model.configuration.tiesEmbeddings)
        #expect(merged.embeddings.weight.name == "backbone.embeddings.weight")
        #expect(merged.lmHead.weight.name == "lm_head.weight")
        #expect(merged.parameters.count == model.parameters.count + 1)
    }

    @Test("an adapted output projection is untied from the embedding, which stays as it was")
    func tiedHead() throws {
        let model = TinyModel.make()
        let adapters = try attach(["lm_head"], to: model)
        let merged = adapters.merged(into: model)
        #expect(merged.embeddings.weight === model.embeddings.weight)
        expectClose(
            merged.lmHead.weight.value.values,
            expected(
                model.lmHead.weight.value, loraA: adapters.parameters[0].value,
                loraB: adapters.parameters[1].value), within: .singlePrecision)
        #expect(merged.lmHead.weight.name == "lm_head.weight")
        #expect(!merged.isTied && !merged.configuration.tiesEmbeddings)
    }

    @Test("a model that was not tied keeps its output projection")
    func untied() throws {
        let model = TinyModel.make(tied: false)
        let merged = try attach(["embeddings"], to: model).merged(into: model)
        #expect(merged.lmHead.weight === model.lmHead.weight)
        #expect(!merged.configuration.tiesEmbeddings)
    }

    @Test("one weight by hand: 1 + 2 * 3 * 4")
    func byHand() {
        func parameter(_ value: Float) -> Parameter {
            Parameter(name: "", value: Tensor([value], shape: [1, 1]))
        }
        let engine = makeEngine(threads: 1)
        let linear = LoRALinear(name: "", loraA: parameter(3), loraB: parameter(4), scaling: 2)
        #expect(linear.merged(into: parameter(1).value, engine: engine).values == [25])
        let embedding = LoRAEmbedding(loraA: parameter(3), loraB: parameter(4), scaling: 2)
        #expect(embedding.merged(into: parameter(1).value, engine: engine).values == [25])
    }
}
