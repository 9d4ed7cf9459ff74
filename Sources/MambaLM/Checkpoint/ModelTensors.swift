import Tensors

/// Where a model's parameters come from, by name and shape.
protocol ModelTensors {
    /// The parameter of a name, in single precision.
    ///
    /// - Throws: An error if it is missing or has another shape.
    func parameter(_ name: String, _ shape: [Int]) throws -> Parameter

    /// The parameter of a name that is only looked up in and multiplied by, in the model's format.
    ///
    /// - Throws: An error if it is missing or has another shape.
    func weight(_ name: String, _ shape: [Int]) throws -> Parameter
}

extension MambaModel {
    /// Assembles a model from its parameters.
    convenience init(
        configuration x: MambaConfiguration, tensors: some ModelTensors, engine: any Engine
    ) throws {
        func linear(_ name: String, _ layer: Int, _ shape: [Int], bias: Bool) throws -> Linear {
            let weight = try tensors.weight(
                ParameterName.mixer("\(name).weight", layer: layer), shape)
            guard bias else { return Linear(weight: weight) }
            return Linear(
                weight: weight,
                bias: try tensors.parameter(
                    ParameterName.mixer("\(name).bias", layer: layer), [shape[0]]))
        }
        let embeddings = Embedding(
            weight: try tensors.weight(ParameterName.embeddings, [x.vocabulary, x.model]))
        let blocks = try (0..<x.layers).map { layer in
            let named = { (tensor: String, shape: [Int]) in
                try tensors.parameter(ParameterName.mixer(tensor, layer: layer), shape)
            }
            let mixer = Mixer(
                inProj: try linear("in_proj", layer, [2 * x.inner, x.model], bias: x.hasBias),
                convolution: try named("conv1d.weight", [x.inner, 1, x.convolutionWidth]),
                convolutionBias: x.hasConvolutionBias
                    ? try named("conv1d.bias", [x.inner]) : nil,
                xProj: try linear("x_proj", layer, [x.projections, x.inner], bias: false),
                dtProj: try linear("dt_proj", layer, [x.inner, x.stepRank], bias: true),
                ALog: try named("A_log", [x.inner, x.state]), D: try named("D", [x.inner]),
                outProj: try linear("out_proj", layer, [x.model, x.inner], bias: x.hasBias))
            return Block(
                layer: layer,
                norm: try tensors.parameter(ParameterName.norm(layer: layer), [x.model]),
                mixer: mixer, epsilon: x.epsilon)
        }
        let head =
            x.tiesEmbeddings
            ? embeddings.weight
            : try tensors.weight(ParameterName.lmHead, [x.vocabulary, x.model])
        self.init(
            configuration: x, embeddings: embeddings, blocks: blocks,
            normF: try tensors.parameter(ParameterName.normF, [x.model]),
            lmHead: Linear(weight: head), engine: engine)
    }
}
