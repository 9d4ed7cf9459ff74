import Storage
import Tensors

/// The sizes and switches of a Mamba language model.
///
/// Defaults are those of the official configuration class.
public struct MambaConfiguration: Equatable, Sendable {
    /// The number of token ids.
    public var vocabulary = 50280
    /// The width of the residual stream.
    public var model = 768
    /// The number of blocks.
    public var layers = 32
    /// The number of channels of a mixer.
    public var inner = 1536
    /// The number of states a channel.
    public var state = 16
    /// The width of the causal convolution, in tokens.
    public var convolutionWidth = 4
    /// The rank of the step projection.
    public var stepRank = 48
    /// Added to the mean square in every normalisation.
    public var epsilon: Float = 1e-5
    /// Whether `in_proj` and `out_proj` have biases.
    public var hasBias = false
    /// Whether the convolution has a bias.
    public var hasConvolutionBias = true
    /// Whether the output projection shares the embedding's weight.
    public var tiesEmbeddings = true
    /// The tokens that end a text; none where the file says null.
    public var endTokens: [Int32] = [0]
    /// Further tokens that end what is generated, those of `generation_config.json`.
    public var generationEndTokens: [Int32] = []
    /// How fresh weights are drawn.
    public var initialization = Initialization()
    /// What it was read from, for ``json``; nil if it was not.
    public var origin: Origin?

    /// How fresh weights are drawn.
    public struct Initialization: Equatable, Sendable {
        /// The standard deviation of the embedding.
        public var range: Float = 0.1
        /// A factor on the bound of the step projection's weights.
        public var stepScale: Float = 1
        /// The least step after softplus.
        public var stepLeast: Float = 0.001
        /// The greatest step after softplus.
        public var stepGreatest: Float = 0.1
        /// A floor under the drawn step.
        public var stepFloor: Float = 1e-4
        /// Whether the step projection starts from one constant instead of a uniform draw.
        public var hasConstantSteps = false
        /// Whether `out_proj` is divided by the root of the number of blocks.
        public var rescalesResidual = false
    }

    /// Creates the official defaults, to be changed field by field.
    public init() {}

    /// The width of `x_proj`'s output: step rank, then `B`, then `C`.
    public var projections: Int { stepRank + 2 * state }

    /// The number of weights of the model.
    public var parameterCount: Int {
        func count(_ tensors: [MambaTensor]) -> Int {
            tensors.reduce(0) { $0 + $1.shape(self).reduce(1, *) }
        }
        let block: [MambaTensor] =
            [.norm, .inProj, .convolution, .xProj, .dtProj, .dtProjBias, .ALog, .D, .outProj]
            + (hasBias ? [.inProjBias, .outProjBias] : [])
            + (hasConvolutionBias ? [.convolutionBias] : [])
        return count([.embeddings, .normF] + (tiesEmbeddings ? [] : [.lmHead]))
            + layers * count(block)
    }
}

extension MambaConfiguration {
    /// Reads the configuration of a model's folder: `config.json`, and the end tokens of
    /// `generation_config.json` if there is one.
    ///
    /// - Parameter folder: The folder.
    /// - Throws: As ``init(file:)``.
    public init(folder: String) throws {
        try self.init(file: "\(folder)/config.json")
        let path = "\(folder)/generation_config.json"
        guard FilePath.exists(path) else { return }
        let fields = try JSONFields(JSONValue.read(path), file: path)
        generationEndTokens = try fields.tokens(ifPresent: "eos_token_id") ?? []
    }

    /// Reads `config.json` of a model, in the Hugging Face or in the original layout.
    ///
    /// A missing field has the official default; unknown fields change nothing, and are kept in
    /// ``origin``.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``MambaModelError`` if a value is not one that the model can have, or the file is
    ///   that of another kind of model; `JSONError` and `FileError` if the file cannot be read.
    public init(file path: String) throws {
        let fields = try JSONFields(JSONValue.read(path), file: path)
        try fields.refuseOtherModels()
        let isOriginal = fields.isPresent("d_model") && !fields.isPresent("hidden_size")
        self.init()
        if isOriginal {
            try readOriginal(fields)
        } else {
            try readHuggingFace(fields)
        }
        if fields.object["eos_token_id"] != nil {
            endTokens = try fields.tokens(ifPresent: "eos_token_id") ?? []
        }
        try checkSizes(file: path, isOriginal: isOriginal)
        origin = Origin(object: fields.object, fields: ownFields, isOriginalLayout: isOriginal)
    }

    private mutating func readHuggingFace(_ fields: JSONFields) throws {
        try fields.set(&vocabulary, "vocab_size")
        try fields.set(&model, "hidden_size")
        try fields.set(&layers, "num_hidden_layers")
        try fields.set(&state, "state_size")
        try fields.set(&convolutionWidth, "conv_kernel")
        inner =
            try fields.integer(ifPresent: "intermediate_size") ?? fields.expandedInner(of: model)
        stepRank = try fields.stepRank("time_step_rank", model: model)
        try fields.set(&epsilon, "layer_norm_epsilon")
        try fields.set(&hasBias, "use_bias")
        try fields.set(&hasConvolutionBias, "use_conv_bias")
        try fields.set(&tiesEmbeddings, "tie_word_embeddings")
        if let activation = try fields.string(ifPresent: "hidden_act"), activation != "silu" {
            throw fields.unsupported("hidden_act", found: activation, expected: "silu")
        }
        try fields.set(&initialization.range, "initializer_range")
        try fields.set(&initialization.stepScale, "time_step_scale")
        try fields.set(&initialization.stepLeast, "time_step_min")
        try fields.set(&initialization.stepGreatest, "time_step_max")
        try fields.set(&initialization.stepFloor, "time_step_floor")
        try fields.set(&initialization.rescalesResidual, "rescale_prenorm_residual")
        initialization.hasConstantSteps = try fields.hasConstantSteps("time_step_init_scheme")
    }

    private mutating func readOriginal(_ fields: JSONFields) throws {
        try fields.set(&vocabulary, "vocab_size")
        let multiple = try fields.integer(ifPresent: "pad_vocab_size_multiple") ?? 8
        guard multiple <= greatestVocabulary else {
            throw fields.unsupported(
                "pad_vocab_size_multiple", found: "\(multiple)",
                expected: "at most \(greatestVocabulary)")
        }
        if multiple > 1, vocabulary > 0, vocabulary < greatestVocabulary {
            vocabulary = (vocabulary + multiple - 1) / multiple * multiple
        }
        try fields.set(&model, "d_model")
        layers = 64
        try fields.set(&layers, "n_layer")
        try fields.set(&tiesEmbeddings, "tie_embeddings")
        if try fields.bool(ifPresent: "rms_norm") == false {
            throw fields.unsupported("rms_norm", found: "false", expected: "true")
        }
        let mixer =
            try fields.object(ifPresent: "ssm_cfg")
            ?? JSONFields(JSONObject(), place: fields.place)
        try mixer.set(&state, "d_state")
        try mixer.set(&convolutionWidth, "d_conv")
        inner = try mixer.expandedInner(of: model)
        stepRank = try mixer.stepRank("dt_rank", model: model)
        try mixer.set(&hasBias, "bias")
        try mixer.set(&hasConvolutionBias, "conv_bias")
        try mixer.set(&initialization.stepScale, "dt_scale")
        try mixer.set(&initialization.stepLeast, "dt_min")
        try mixer.set(&initialization.stepGreatest, "dt_max")
        try mixer.set(&initialization.stepFloor, "dt_init_floor")
        initialization.hasConstantSteps = try mixer.hasConstantSteps("dt_init")
    }

    private func checkSizes(file: String, isOriginal: Bool) throws {
        let sizes = [
            ("vocab_size", "vocab_size", vocabulary, greatestVocabulary),
            ("hidden_size", "d_model", model, greatestSize),
            ("num_hidden_layers", "n_layer", layers, 10_000),
            ("intermediate_size", "ssm_cfg.expand", inner, greatestSize),
            ("state_size", "ssm_cfg.d_state", state, 4096),
            ("time_step_rank", "ssm_cfg.dt_rank", stepRank, greatestSize),
            ("conv_kernel", "ssm_cfg.d_conv", convolutionWidth, CausalConvolution.greatestWidth),
        ]
        for (field, originalField, found, greatest) in sizes where !(1...greatest).contains(found) {
            throw MambaModelError.unsupported(
                file: file, field: isOriginal ? originalField : field, found: "\(found)",
                expected: "1 to \(greatest)")
        }
        guard epsilon.isFinite && epsilon >= 0 else {
            throw MambaModelError.unsupported(
                file: file, field: "layer_norm_epsilon", found: "\(epsilon)",
                expected: "a number of at least 0")
        }
    }
}

extension MambaConfiguration {
    /// The file that a configuration was read from.
    public final class Origin: Equatable, Sendable {
        /// Its members.
        let object: JSONObject
        /// ``MambaConfiguration/ownFields`` as they were read.
        let fields: JSONObject
        /// Whether it has the names of the original releases.
        let isOriginalLayout: Bool

        init(object: JSONObject, fields: JSONObject, isOriginalLayout: Bool) {
            self.object = object
            self.fields = fields
            self.isOriginalLayout = isOriginalLayout
        }

        /// Whether both are files that say the same.
        public static func == (left: Origin, right: Origin) -> Bool { left.object == right.object }
    }

    /// The configuration as transformers writes it.
    ///
    /// What was read from a file is written as that file has it, fields that are not known here
    /// included, except what was changed since then and the type of the weights, which is float32.
    /// The original layout becomes the other one.
    public var json: JSONObject {
        guard let origin else { return newFields.merging(ownFields) }
        var result = origin.object
        if origin.isOriginalLayout {
            result = newFields.merging(ownFields)
            for member in origin.object.members
            where !translatedFields.contains(member.key) && ownFields[member.key] == nil {
                result[member.key] = member.value
            }
            if let ends = origin.object["eos_token_id"] { result["eos_token_id"] = ends }
        }
        for member in ownFields.members where origin.fields[member.key] != member.value {
            result[member.key] = member.value
        }
        for field in ["architectures", "model_type"] where result[field] == nil {
            result[field] = newFields[field]
        }
        for field in ["dtype", "torch_dtype"] where result[field]?.isNull == false {
            result[field] = newFields["dtype"]
        }
        return result
    }

    /// What a file says that no property holds.
    private var newFields: JSONObject {
        [
            "architectures": ["MambaForCausalLM"], "dtype": "float32", "hidden_act": "silu",
            "model_type": "mamba", "residual_in_fp32": true, "use_cache": true,
        ]
    }

    /// The properties under the names of transformers.
    private var ownFields: JSONObject {
        let shown = { (value: Float) in JSONValue.number(Double("\(value)") ?? Double(value)) }
        let ends: [JSONValue] = endTokens.map { .integer(Int($0)) }
        return [
            "conv_kernel": .integer(convolutionWidth),
            "eos_token_id": ends.isEmpty ? .null : ends.count == 1 ? ends[0] : .array(ends),
            "expand": inner % model == 0
                ? .integer(inner / model) : .number(Double(inner) / Double(model)),
            "hidden_size": .integer(model),
            "initializer_range": shown(initialization.range), "intermediate_size": .integer(inner),
            "layer_norm_epsilon": shown(epsilon), "num_hidden_layers": .integer(layers),
            "rescale_prenorm_residual": .bool(initialization.rescalesResidual),
            "state_size": .integer(state), "tie_word_embeddings": .bool(tiesEmbeddings),
            "time_step_floor": shown(initialization.stepFloor),
            "time_step_init_scheme": .string(
                initialization.hasConstantSteps ? "constant" : "random"),
            "time_step_max": shown(initialization.stepGreatest),
            "time_step_min": shown(initialization.stepLeast),
            "time_step_rank": .integer(stepRank),
            "time_step_scale": shown(initialization.stepScale), "use_bias": .bool(hasBias),
            "use_conv_bias": .bool(hasConvolutionBias), "vocab_size": .integer(vocabulary),
        ]
    }
}

extension JSONObject {
    /// This object with the members of another after its own.
    fileprivate func merging(_ other: JSONObject) -> JSONObject {
        JSONObject((members + other.members).map { ($0.key, $0.value) })
    }
}

/// Fields of the original layout that have another name, or nothing to say, in the other one.
private let translatedFields = [
    "attn_cfg", "attn_layer_idx", "d_intermediate", "d_model", "n_layer",
    "pad_vocab_size_multiple", "ssm_cfg", "tie_embeddings",
]

/// Far above any model; the number of weights that all the limits allow, in bytes, is far below what overflows.
private let (greatestSize, greatestVocabulary) = (1 << 20, 1 << 24)

extension JSONFields {
    fileprivate func set(_ target: inout Int, _ field: String) throws {
        if let value = try integer(ifPresent: field) { target = value }
    }

    fileprivate func set(_ target: inout Float, _ field: String) throws {
        if let value = try number(ifPresent: field) { target = Float(value) }
    }

    fileprivate func set(_ target: inout Bool, _ field: String) throws {
        if let value = try bool(ifPresent: field) { target = value }
    }

    /// `expand`, 2 if absent, times the model's width.
    fileprivate func expandedInner(of model: Int) throws -> Int {
        let product = (try number(ifPresent: "expand") ?? 2) * Double(model)
        return product > 0 && product <= Double(greatestSize) ? Int(product) : 0
    }

    /// A number, or "auto" for a sixteenth of the model's width, rounded up.
    fileprivate func stepRank(_ field: String, model: Int) throws -> Int {
        if object[field]?.stringValue == "auto" || !isPresent(field) {
            return model / 16 + (model % 16 > 0 ? 1 : 0)
        }
        return try integer(field)
    }

    /// "constant" or, if absent, "random".
    fileprivate func hasConstantSteps(_ field: String) throws -> Bool {
        let scheme = try string(ifPresent: field) ?? "random"
        guard scheme == "random" || scheme == "constant" else {
            throw unsupported(field, found: scheme, expected: "random or constant")
        }
        return scheme == "constant"
    }

    /// One token id, or a list of them; nil if absent or null.
    fileprivate func tokens(ifPresent field: String) throws -> [Int32]? {
        guard isPresent(field) else { return nil }
        let found = object[field]?.arrayValue == nil ? [try integer(field)] : try integers(field)
        return try found.map { id in
            guard let token = Int32(exactly: id), token >= 0 else {
                throw unsupported(field, found: "\(id)", expected: "token ids")
            }
            return token
        }
    }
}

/// The sizes of the models that Mamba's authors released, and one to try things with.
///
/// Source: Gu and Dao 2023, "Mamba", appendix E.2; the released configurations.
public enum ModelShape: String, CaseIterable, Sendable {
    /// Small enough to train in seconds, with the vocabulary of the released models.
    case tiny
    /// The smallest of the released models, which the paper fine-tunes.
    case m130 = "130m"
    /// The second of the released models.
    case m370 = "370m"
    /// The third of the released models.
    case m790 = "790m"
    /// The fourth of the released models.
    case b1p4 = "1.4b"
    /// The largest of the released models.
    case b2p8 = "2.8b"

    /// The width and the number of blocks; all else follows or is the same.
    private var sizes: (model: Int, layers: Int) {
        switch self {
        case .tiny: (64, 2)
        case .m130: (768, 24)
        case .m370: (1024, 48)
        case .m790: (1536, 48)
        case .b1p4: (2048, 48)
        case .b2p8: (2560, 64)
        }
    }

    /// The configuration.
    public var configuration: MambaConfiguration {
        var x = MambaConfiguration()
        (x.model, x.layers) = sizes
        x.inner = 2 * x.model
        x.stepRank = (x.model + 15) / 16
        return x
    }
}
