import Kernels
import Storage

extension MambaConfiguration {
    /// Reads `config.json` of a model, in the Hugging Face or in the original layout.
    ///
    /// A missing field has the official default; unknown fields do not matter.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``MambaModelError`` if a value is not one that the model can have; `JSONError` and
    ///   `FileError` if the file cannot be read.
    public init(file path: String) throws {
        let fields = try JSONFields(JSONValue.read(path), file: path)
        if let type = try fields.string(ifPresent: "model_type"), type != "mamba" {
            throw MambaModelError.unsupported(
                file: path, field: "model_type", found: type, expected: "mamba")
        }
        self.init()
        if fields.isPresent("d_model") && !fields.isPresent("hidden_size") {
            try readOriginal(fields)
        } else {
            try readHuggingFace(fields)
        }
        try checkSizes(file: path)
    }

    private mutating func readHuggingFace(_ fields: JSONFields) throws {
        try fields.set(&vocabulary, "vocab_size")
        try fields.set(&model, "hidden_size")
        try fields.set(&layers, "num_hidden_layers")
        try fields.set(&state, "state_size")
        try fields.set(&convolutionWidth, "conv_kernel")
        inner = try fields.inner(model: model)
        stepRank = try fields.stepRank("time_step_rank", model: model)
        try fields.set(&epsilon, "layer_norm_epsilon")
        try fields.set(&hasBias, "use_bias")
        try fields.set(&hasConvolutionBias, "use_conv_bias")
        try fields.set(&tiesEmbeddings, "tie_word_embeddings")
        if let activation = try fields.string(ifPresent: "hidden_act"), activation != "silu" {
            throw MambaModelError.unsupported(
                file: fields.place, field: "hidden_act", found: activation, expected: "silu")
        }
        if fields.isPresent("eos_token_id") {
            endTokens = try fields.tokens("eos_token_id")
        }
        try fields.set(&initialization.range, "initializer_range")
        try fields.set(&initialization.stepScale, "time_step_scale")
        try fields.set(&initialization.stepLeast, "time_step_min")
        try fields.set(&initialization.stepGreatest, "time_step_max")
        try fields.set(&initialization.stepFloor, "time_step_floor")
        try fields.set(&initialization.rescalesResidual, "rescale_prenorm_residual")
        let scheme = try fields.string(ifPresent: "time_step_init_scheme") ?? "random"
        guard scheme == "random" || scheme == "constant" else {
            throw MambaModelError.unsupported(
                file: fields.place, field: "time_step_init_scheme", found: scheme,
                expected: "random or constant")
        }
        initialization.hasConstantSteps = scheme == "constant"
    }

    private mutating func readOriginal(_ fields: JSONFields) throws {
        try fields.set(&vocabulary, "vocab_size")
        let multiple = try fields.integer(ifPresent: "pad_vocab_size_multiple") ?? 8
        if multiple > 1, vocabulary > 0, vocabulary < greatestSize {
            vocabulary = (vocabulary + multiple - 1) / multiple * multiple
        }
        try fields.set(&model, "d_model")
        layers = 64
        try fields.set(&layers, "n_layer")
        try fields.set(&tiesEmbeddings, "tie_embeddings")
        if try fields.bool(ifPresent: "rms_norm") == false {
            throw MambaModelError.unsupported(
                file: fields.place, field: "rms_norm", found: "false", expected: "true")
        }
        let mixer =
            try fields.object(ifPresent: "ssm_cfg")
            ?? JSONFields(JSONObject(), place: fields.place)
        try mixer.set(&state, "d_state")
        try mixer.set(&convolutionWidth, "d_conv")
        inner = try mixer.inner(model: model)
        stepRank = try mixer.stepRank("dt_rank", model: model)
        endTokens = [0]
    }

    private func checkSizes(file: String) throws {
        let sizes = [
            ("vocab_size", vocabulary, greatestSize), ("hidden_size", model, greatestSize),
            ("num_hidden_layers", layers, 10_000), ("intermediate_size", inner, greatestSize),
            ("state_size", state, 4096), ("time_step_rank", stepRank, greatestSize),
            ("conv_kernel", convolutionWidth, CausalConvolution.greatestWidth),
        ]
        for (field, found, greatest) in sizes where !(1...greatest).contains(found) {
            throw MambaModelError.unsupported(
                file: file, field: field, found: "\(found)", expected: "1 to \(greatest)")
        }
        guard epsilon.isFinite && epsilon >= 0 else {
            throw MambaModelError.unsupported(
                file: file, field: "layer_norm_epsilon", found: "\(epsilon)",
                expected: "a number of at least 0")
        }
    }

    /// The configuration as transformers writes it.
    public var json: JSONObject {
        let shown = { (value: Float) in JSONValue.number(Double("\(value)") ?? Double(value)) }
        let ends: JSONValue =
            endTokens.count == 1
            ? .integer(Int(endTokens[0])) : .array(endTokens.map { .integer(Int($0)) })
        return [
            "architectures": ["MambaForCausalLM"], "bos_token_id": ends,
            "conv_kernel": .integer(convolutionWidth),
            "dtype": "float32", "eos_token_id": ends,
            "expand": inner % model == 0
                ? .integer(inner / model) : .number(Double(inner) / Double(model)),
            "hidden_act": "silu", "hidden_size": .integer(model),
            "initializer_range": shown(initialization.range), "intermediate_size": .integer(inner),
            "layer_norm_epsilon": shown(epsilon), "model_type": "mamba",
            "num_hidden_layers": .integer(layers), "pad_token_id": ends,
            "rescale_prenorm_residual": .bool(initialization.rescalesResidual),
            "residual_in_fp32": true, "state_size": .integer(state),
            "tie_word_embeddings": .bool(tiesEmbeddings),
            "time_step_floor": shown(initialization.stepFloor),
            "time_step_init_scheme": .string(
                initialization.hasConstantSteps ? "constant" : "random"),
            "time_step_max": shown(initialization.stepGreatest),
            "time_step_min": shown(initialization.stepLeast),
            "time_step_rank": .integer(stepRank),
            "time_step_scale": shown(initialization.stepScale), "use_bias": .bool(hasBias),
            "use_cache": true, "use_conv_bias": .bool(hasConvolutionBias),
            "vocab_size": .integer(vocabulary),
        ]
    }
}

/// Far above any model, far below what overflows.
private let greatestSize = 1 << 24

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

    /// `intermediate_size`, or `expand` (2 if absent) times the model's width.
    fileprivate func inner(model: Int) throws -> Int {
        if let inner = try integer(ifPresent: "intermediate_size") { return inner }
        let expand = try number(ifPresent: "expand") ?? 2
        let product = expand * Double(model)
        return product > 0 && product <= Double(greatestSize) ? Int(product) : 0
    }

    /// A number, or "auto" for a sixteenth of the model's width, rounded up.
    fileprivate func stepRank(_ field: String, model: Int) throws -> Int {
        if object[field]?.stringValue == "auto" || !isPresent(field) {
            return model / 16 + (model % 16 > 0 ? 1 : 0)
        }
        return try integer(field)
    }

    /// One token id, or a list of them.
    fileprivate func tokens(_ field: String) throws -> [Int32] {
        let found =
            object[field]?.arrayValue == nil ? [try integer(field)] : try integers(field)
        return try found.map { id in
            guard let token = Int32(exactly: id), token >= 0 else {
                throw MambaModelError.unsupported(
                    file: place, field: field, found: "\(id)", expected: "token ids")
            }
            return token
        }
    }
}
