import MambaLM
import Tensors
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
        let model = MambaModel.random(
            configuration, engine: makeEngine(threads: 1), using: &generator)
        // The official values are too small to show an error; these start from the seed again.
        generator = SeededGenerator(seed: seed)
        for parameter in model.parameters {
            // Norms of about 1, so that every layer has its say in the result.
            let range: ClosedRange<Float> = parameter.name.contains("norm") ? 0.5...1.5 : -1...1
            parameter.replaceValue(.random(parameter.value.shape, in: range, using: &generator))
        }
        return model
    }
}
