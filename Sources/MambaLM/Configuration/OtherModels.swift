import Storage

/// Tells models that are not Mamba-1 by their `config.json`.
extension JSONFields {
    /// Refuses the configuration of another kind of model.
    ///
    /// `model_type` decides where there is one. Files without it, as those of the original
    /// releases, must have nothing that only other models have.
    ///
    /// - Throws: ``MambaModelError/unsupported(file:field:found:expected:)``, or `JSONError`.
    func refuseOtherModels() throws {
        if let type = try string(ifPresent: "model_type") {
            guard type == "mamba" else {
                throw unsupported("model_type", found: type, expected: "mamba")
            }
        } else {
            if let names = try array(ifPresent: "architectures"),
                let other = names.first(where: { !architectures.contains($0.stringValue ?? "") })
            {
                throw unsupported(
                    "architectures", found: text(other), expected: "MambaForCausalLM")
            }
            try refuse(foreignFields)
        }
        // Norms on B, C and the step, which have no weights: nothing else would tell.
        try refuse(["mixer_rms_eps", "use_bcdt_rms"])
        try refuse(["attn_layer_idx", "attn_cfg", "d_intermediate"])
        try object(ifPresent: "ssm_cfg")?.refuseOtherMixers()
    }

    /// Refuses what is no argument of the original `Mamba` class.
    private func refuseOtherMixers() throws {
        if let layer = try string(ifPresent: "layer"), layer != "Mamba1" {
            throw unsupported("layer", found: layer, expected: "Mamba1")
        }
        for member in object.members where !mixerArguments.contains(member.key) {
            throw unsupported(
                member.key, found: text(member.value),
                expected: "none, since Mamba-1 has no such argument")
        }
    }

    private func refuse(_ fields: [String]) throws {
        for field in fields {
            guard let value = object[field], !value.isNothing else { continue }
            throw unsupported(
                field, found: text(value), expected: "none, since Mamba-1 has no such field")
        }
    }

    private func text(_ value: JSONValue) -> String {
        value.stringValue ?? JSONWriter(escapesNonASCII: false).string(value)
    }

    /// The error for a value that the model cannot have.
    func unsupported(_ field: String, found: String, expected: String) -> MambaModelError {
        .unsupported(file: place, field: name(of: field), found: found, expected: expected)
    }
}

extension JSONValue {
    /// Whether the value says that there is none of a thing.
    fileprivate var isNothing: Bool {
        switch self {
        case .null, .bool(false), .integer(0): true
        case .array(let elements): elements.isEmpty
        case .object(let object): object.isEmpty
        default: false
        }
    }
}

/// The names that Mamba-1 goes by.
private let architectures = ["MambaForCausalLM", "MambaModel", "MambaLMHeadModel"]

/// Fields of transformers and of models with attention, experts or Mamba-2 layers.
private let foreignFields = [
    "attn_layer_indices", "attn_layer_period", "chunk_size", "head_dim", "hybrid_override_pattern",
    "layer_types", "layers_block_type", "mamba_d_ssm", "mamba_d_state", "n_embd", "n_groups",
    "n_head", "num_attention_heads", "num_experts", "num_heads", "num_key_value_heads",
    "num_local_experts", "rope_theta",
]

/// The arguments of the original `Mamba` class that a configuration may give.
private let mixerArguments = [
    "bias", "conv_bias", "d_conv", "d_state", "dt_init", "dt_init_floor", "dt_max", "dt_min",
    "dt_rank", "dt_scale", "expand", "layer", "use_fast_path",
]
