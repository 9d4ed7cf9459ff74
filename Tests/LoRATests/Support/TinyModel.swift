import Kernels
import MambaLM
import TestSupport

/// A model of two blocks with random weights: vocabulary 11, model 6, inner 8, state 3, rank 2.
enum TinyModel {
    static let configuration: MambaConfiguration = {
        var configuration = MambaConfiguration()
        (configuration.vocabulary, configuration.model, configuration.layers) = (11, 6, 2)
        (configuration.inner, configuration.state, configuration.stepRank) = (8, 3, 2)
        return configuration
    }()

    static func make(seed: UInt64 = 1, tied: Bool = true) -> MambaModel {
        var generator = SeededGenerator(seed: seed)
        var configuration = configuration
        configuration.tiesEmbeddings = tied
        func parameter(_ name: String, _ shape: [Int]) -> Parameter {
            // Norms of about 1, so that every layer has its say in the result.
            let range: ClosedRange<Float> = name.contains("norm") ? 0.5...1.5 : -1...1
            return Parameter(name: name, value: .random(shape, in: range, using: &generator))
        }
        let (inner, model) = (configuration.inner, configuration.model)
        let embeddings = parameter(ParameterName.embeddings, [configuration.vocabulary, model])
        let blocks = (0..<configuration.layers).map { layer in
            func mixer(_ name: String, _ shape: [Int]) -> Parameter {
                parameter(ParameterName.mixer(name, layer: layer), shape)
            }
            return Block(
                layer: layer, norm: parameter(ParameterName.norm(layer: layer), [model]),
                mixer: Mixer(
                    inProj: Linear(weight: mixer("in_proj.weight", [2 * inner, model])),
                    convolution: mixer("conv1d.weight", [inner, 1, 4]),
                    convolutionBias: mixer("conv1d.bias", [inner]),
                    xProj: Linear(
                        weight: mixer("x_proj.weight", [configuration.projections, inner])),
                    dtProj: Linear(
                        weight: mixer("dt_proj.weight", [inner, configuration.stepRank]),
                        bias: mixer("dt_proj.bias", [inner])),
                    ALog: mixer("A_log", [inner, configuration.state]), D: mixer("D", [inner]),
                    outProj: Linear(weight: mixer("out_proj.weight", [model, inner]))),
                epsilon: configuration.epsilon)
        }
        let head = tied ? embeddings : parameter(ParameterName.lmHead, [11, model])
        return MambaModel(
            configuration: configuration, embeddings: Embedding(weight: embeddings),
            blocks: blocks, normF: parameter(ParameterName.normF, [model]),
            lmHead: Linear(weight: head), engine: CPUEngine(threads: 1))
    }
}
