import Glibc
import Layers
import MambaLM
import Storage
import Tensors
import Tokenization

/// How weights are to be kept; the names are those of llama.cpp's converter.
public enum GGUFOutputType: String, CaseIterable, Sendable {
    case f32, f16, bf16
    case q8_0

    /// The type of matrices that are multiplied by; all others stay in single precision.
    var type: GGUFType {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .q8_0: .q8_0
        }
    }

    /// The number that stands in files.
    var fileType: UInt32 {
        switch self {
        case .f32: 0
        case .f16: 1
        case .bf16: 32
        case .q8_0: 7
        }
    }
}

extension GGUFContent {
    /// A model as llama.cpp runs it: as a chain.
    ///
    /// Source: `MambaModel` of llama.cpp's `convert_hf_to_gguf.py`.
    ///
    /// - Parameters:
    ///   - model: A model without adapters.
    ///   - name: What it is called.
    ///   - tokenizer: Its tokenizer; `nil` for none.
    ///   - type: How matrices are kept.
    ///   - gain: What the chain's states are multiplied by, which is the same as multiplying the rows of `x_proj`
    ///     that make `C`.
    ///   - separatesHead: Whether an output projection that shares the embedding's weight is written all the same;
    ///     an adapter on the embedding needs it, as llama.cpp would take it for the projection's too and end.
    /// - Throws: ``GGUFError`` for what llama.cpp does not run.
    public init(
        _ model: MambaModel, name: String, tokenizer: LoadedTokenizer?, type: GGUFOutputType,
        gain: Float = 1, separatesHead: Bool = false
    ) throws {
        let x = model.configuration
        guard x.inner == 2 * x.model else {
            throw GGUFError.model(
                "inner width", found: "\(x.inner)", expected: "\(2 * x.model), twice its width")
        }
        guard !x.hasBias else {
            throw GGUFError.model(
                "in_proj", found: "one with a bias", expected: "one without")
        }
        self.init(pairs: [], tensors: [])
        pairs = [
            ("general.architecture", .text("mamba")), ("general.type", .text("model")),
            ("general.name", .text(name)), ("general.file_type", .uint32(type.fileType)),
        ]
        if type == .q8_0 { pairs.append(("general.quantization_version", .uint32(2))) }
        let sizes = [
            ("context_length", 1 << 20), ("embedding_length", x.model), ("block_count", x.layers),
            ("feed_forward_length", 0), ("attention.head_count", 0),
            ("ssm.conv_kernel", x.convolutionWidth), ("ssm.inner_size", x.inner),
            ("ssm.state_size", x.state), ("ssm.time_step_rank", x.stepRank),
        ]
        pairs += sizes.map { ("mamba.\($0)", .uint32(UInt32($1))) }
        pairs += [
            ("mamba.ssm.dt_b_c_rms", .bool(false)),
            ("mamba.attention.layer_norm_rms_epsilon", .float32(x.epsilon)),
        ]
        try append(tokenizer, of: x)
        tensors = Self.tensors(of: model, type: type.type, gain: gain)
        if !model.isTied || separatesHead {
            tensors.append(Self.tensor("output.weight", model.lmHead.weight, type.type))
        }
    }

    private static func tensors(
        of model: MambaModel, type: GGUFType, gain: Float
    ) -> [GGUFTensor] {
        let x = model.configuration
        var tensors = [tensor("token_embd.weight", model.embeddings.weight, type)]
        for (layer, block) in model.blocks.enumerated() {
            let mixer = block.mixer
            func add(_ name: String, _ parameter: Parameter, _ type: GGUFType = .f32) {
                tensors.append(tensor("blk.\(layer).\(name)", parameter, type))
            }
            add("attn_norm.weight", block.norm.weight)
            add("ssm_in.weight", mixer.inProj.weight, type)
            let filter = mixer.convolution
            tensors.append(
                tensor(
                    "blk.\(layer).ssm_conv1d.weight", filter, .f32,
                    shape: [x.inner, x.convolutionWidth]))
            if let bias = mixer.convolutionBias {
                add("ssm_conv1d.bias", bias)
            } else {
                // llama.cpp wants one.
                tensors.append(
                    GGUFTensor("blk.\(layer).ssm_conv1d.bias", shape: [x.inner], type: .f32) {
                        try $0.write([Float](repeating: 0, count: x.inner))
                    })
            }
            tensors.append(projection(mixer.xProj.weight, layer, type, x, gain: gain))
            add("ssm_dt.weight", mixer.dtProj.weight, type)
            if let bias = mixer.dtProj.bias { add("ssm_dt.bias", bias) }
            let decay = mixer.ALog.value
            tensors.append(
                GGUFTensor("blk.\(layer).ssm_a", shape: decay.shape, type: .f32) { sink in
                    try sink.write(decay.values.map { -Float(exp(Double($0))) })
                })
            add("ssm_d", mixer.D)
            add("ssm_out.weight", mixer.outProj.weight, type)
        }
        tensors.append(tensor("output_norm.weight", model.normF.weight, .f32))
        return tensors
    }

    private static func tensor(
        _ name: String, _ parameter: Parameter, _ type: GGUFType, shape: [Int]? = nil
    ) -> GGUFTensor {
        GGUFTensor(name, shape: shape ?? parameter.shape, type: type) { sink in
            try parameter.value.withElements { try sink.write($0) }
        }
    }

    /// `x_proj`, whose rows are the step's, those of `B`, and those of `C`.
    private static func projection(
        _ parameter: Parameter, _ layer: Int, _ type: GGUFType, _ x: MambaConfiguration,
        gain: Float
    ) -> GGUFTensor {
        let name = "blk.\(layer).ssm_x.weight"
        guard gain != 1 else { return tensor(name, parameter, type) }
        return GGUFTensor(name, shape: parameter.shape, type: type) { sink in
            let values = parameter.value.values
            let split = (x.projections - x.state) * x.inner
            try sink.write(values[..<split])
            try sink.write(values[split...].map { $0 * gain })
        }
    }
}
