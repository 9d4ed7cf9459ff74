import MambaLM
import Tensors

extension LoRAAdapterSet {
    /// A model without adapters that gives the results of this one with them.
    ///
    ///     weight += scaling * loraB · loraA         of a linear layer
    ///     weight += scaling * (loraB · loraA)ᵀ      of the embedding
    ///
    /// The given model stays as it is; parameters without an adapter are shared with it. An adapter
    /// acts on the embedding or on the output projection, so where both share a weight and one is
    /// adapted, they have one each in the result, whose configuration says so.
    ///
    /// - Precondition: Weights with an adapter are kept in single precision.
    public func merged() -> MambaModel {
        var mergedWeights: [ObjectIdentifier: Tensor] = [:]
        for attachment in attachments {
            switch attachment.adapter {
            case .linear(let adapter, let linear):
                mergedWeights[ObjectIdentifier(linear)] = adapter.merged(
                    into: linear.weight.value, engine: model.engine)
            case .embedding(let adapter, let embedding):
                mergedWeights[ObjectIdentifier(embedding)] = adapter.merged(
                    into: embedding.weight.value, engine: model.engine)
            }
        }

        func weight(of layer: AnyObject, _ base: Parameter) -> Parameter {
            guard let value = mergedWeights[ObjectIdentifier(layer)] else { return base }
            return Parameter(name: base.name, value: value)
        }
        func linear(_ base: Linear) -> Linear {
            Linear(weight: weight(of: base, base.weight), bias: base.bias)
        }
        let embeddings = Embedding(weight: weight(of: model.embeddings, model.embeddings.weight))
        let blocks = model.blocks.map { block in
            let mixer = block.mixer
            return Block(
                layer: block.layer, norm: block.norm,
                mixer: Mixer(
                    inProj: linear(mixer.inProj), convolution: mixer.convolution,
                    convolutionBias: mixer.convolutionBias, xProj: linear(mixer.xProj),
                    dtProj: linear(mixer.dtProj), ALog: mixer.ALog, D: mixer.D,
                    outProj: linear(mixer.outProj)),
                epsilon: model.configuration.epsilon)
        }
        var lmHead = linear(model.lmHead)
        var configuration = model.configuration
        if model.isTied, lmHead.weight !== embeddings.weight {
            configuration.tiesEmbeddings = false
            lmHead = Linear(
                weight: Parameter(name: ParameterName.lmHead, matrix: lmHead.weight.matrix),
                bias: lmHead.bias)
        }
        return MambaModel(
            configuration: configuration, embeddings: embeddings, blocks: blocks,
            normF: model.normF, lmHead: lmHead, flow: model.flow, engine: model.engine)
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
