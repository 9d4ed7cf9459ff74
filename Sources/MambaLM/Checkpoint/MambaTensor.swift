import Layers
import Tensors

/// A tensor of the model: its name in the Hugging Face layout, its shape, and what it does.
enum MambaTensor: String {
    /// The token embedding.
    case embeddings = "backbone.embeddings.weight"
    /// The final normalisation.
    case normF = "backbone.norm_f.weight"
    /// The output projection; absent when tied to the embedding.
    case lmHead = "lm_head.weight"

    // Those of a block, whose number is part of their name.
    case norm = "norm.weight"
    case inProj = "mixer.in_proj.weight"
    case inProjBias = "mixer.in_proj.bias"
    case convolution = "mixer.conv1d.weight"
    case convolutionBias = "mixer.conv1d.bias"
    case xProj = "mixer.x_proj.weight"
    case dtProj = "mixer.dt_proj.weight"
    case dtProjBias = "mixer.dt_proj.bias"
    case ALog = "mixer.A_log"
    case D = "mixer.D"
    case outProj = "mixer.out_proj.weight"
    case outProjBias = "mixer.out_proj.bias"

    /// What the original releases call ``embeddings``.
    static let originalEmbeddings = "backbone.embedding.weight"

    /// The key in files.
    ///
    /// - Parameter layer: The number of the block; `nil` for a tensor outside of blocks.
    /// - Returns: The key.
    func name(layer: Int? = nil) -> String {
        layer.map { "backbone.layers.\($0).\(rawValue)" } ?? rawValue
    }

    /// The size of each axis.
    func shape(_ x: MambaConfiguration) -> [Int] {
        switch self {
        case .embeddings, .lmHead: [x.vocabulary, x.model]
        case .normF, .norm, .outProjBias: [x.model]
        case .inProj: [2 * x.inner, x.model]
        case .inProjBias: [2 * x.inner]
        case .convolution: [x.inner, 1, x.convolutionWidth]
        case .convolutionBias, .dtProjBias, .D: [x.inner]
        case .xProj: [x.projections, x.inner]
        case .dtProj: [x.inner, x.stepRank]
        case .ALog: [x.inner, x.state]
        case .outProj: [x.model, x.inner]
        }
    }

    /// What the tensor does.
    var role: Parameter.Role {
        switch self {
        case .embeddings, .lmHead: .table
        case .inProj, .xProj, .dtProj, .outProj: .weight
        case .convolution: .filter
        case .inProjBias, .convolutionBias, .dtProjBias, .outProjBias: .bias
        case .norm, .normF, .D: .scale
        case .ALog: .decayRate
        }
    }
}

/// Where a model's parameters come from.
protocol ModelTensors {
    /// The parameter of a tensor: in the model's format where it is only multiplied by or looked up in (its role is
    /// `table` or `weight`), else in single precision.
    ///
    /// - Throws: An error if it is missing or has another shape.
    func parameter(_ tensor: MambaTensor, layer: Int?) throws -> Parameter
}

extension MambaModel {
    /// Assembles a model from its parameters.
    convenience init(
        configuration x: MambaConfiguration, tensors: some ModelTensors, engine: any Engine
    ) throws {
        let embeddings = Embedding(weight: try tensors.parameter(.embeddings, layer: nil))
        let blocks = try (0..<x.layers).map { layer in
            func parameter(_ tensor: MambaTensor) throws -> Parameter {
                try tensors.parameter(tensor, layer: layer)
            }
            func linear(_ weight: MambaTensor, bias: MambaTensor?) throws -> Linear {
                Linear(weight: try parameter(weight), bias: try bias.map(parameter))
            }
            let mixer = Mixer(
                inProj: try linear(.inProj, bias: x.hasBias ? .inProjBias : nil),
                convolution: try parameter(.convolution),
                convolutionBias: x.hasConvolutionBias ? try parameter(.convolutionBias) : nil,
                xProj: try linear(.xProj, bias: nil),
                dtProj: try linear(.dtProj, bias: .dtProjBias),
                ALog: try parameter(.ALog), D: try parameter(.D),
                outProj: try linear(.outProj, bias: x.hasBias ? .outProjBias : nil))
            return Block(
                layer: layer,
                norm: Normalization(weight: try parameter(.norm), epsilon: x.epsilon),
                mixer: mixer)
        }
        let head =
            x.tiesEmbeddings ? embeddings.weight : try tensors.parameter(.lmHead, layer: nil)
        self.init(
            configuration: x, embeddings: embeddings, blocks: blocks,
            normF: Normalization(
                weight: try tensors.parameter(.normF, layer: nil), epsilon: x.epsilon),
            lmHead: Linear(weight: head), engine: engine)
    }
}
