import Layers
import Tensors

extension LoRAAdapterSet {
    /// A model without adapters that gives the results of this one with them.
    ///
    ///     weight += scaling * loraB · loraA         of a linear layer
    ///     weight += scaling * (loraB · loraA)ᵀ      of the embedding
    ///
    /// The given model stays as it is; parameters without an adapter are shared with it. An adapter
    /// acts on the embedding or on the output projection: where both share a weight and one is adapted, they
    /// have one each in the result.
    ///
    /// - Parameter model: The model that the adapters are attached to.
    /// - Returns: The merged model.
    /// - Precondition: Weights with an adapter are kept in single precision.
    public func merged<Model: AdaptableModel>(into model: Model) -> Model {
        precondition(model === self.model, "the adapters are of another model")
        var weights: [String: Tensor] = [:]
        for attachment in attachments {
            switch attachment.adapter {
            case .linear(let adapter, let linear):
                weights[attachment.name] = adapter.merged(
                    into: linear.weight.value, engine: model.engine)
            case .embedding(let adapter, let embedding):
                weights[attachment.name] = adapter.merged(
                    into: embedding.weight.value, engine: model.engine)
            }
        }
        return model.replacing(weights)
    }
}

extension LoRALinear {
    /// `weight + scaling * loraB · loraA`.
    func merged(into weight: Tensor, engine: any Engine) -> Tensor {
        let (result, scaledB) = (engine.copy(weight), engine.copy(loraB.value))
        engine.scale(scaledB, by: scaling)
        engine.linearInputGradient(scaledB, weight: loraA.value, adding: result, into: result)
        return result
    }
}

extension LoRAEmbedding {
    /// `weight + scaling * (loraB · loraA)ᵀ`, with `loraA` as files hold it.
    func merged(into weight: Tensor, engine: any Engine) -> Tensor {
        let (result, scaledB) = (engine.copy(weight), engine.copy(loraB.value))
        engine.scale(scaledB, by: scaling)
        engine.linear(loraA.value, weight: scaledB, bias: nil, adding: result, into: result)
        return result
    }
}
