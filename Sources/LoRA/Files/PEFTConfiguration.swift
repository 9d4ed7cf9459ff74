import Storage

/// PEFT's `adapter_config.json`.
enum PEFTConfiguration {
    /// Reads the file's fields.
    ///
    /// What would change the results and is not supported is an error; `null`, `false` and empty
    /// values of such fields are not.
    ///
    /// - Returns: The configuration, and the unknown fields that hold something.
    /// - Throws: ``LoRAError`` and `JSONError`.
    static func read(
        _ fields: JSONFields
    ) throws -> (configuration: LoRAConfiguration, unknownFields: [String]) {
        try check(fields)
        var configuration = LoRAConfiguration()
        configuration.rank = try fields.integer("r")
        configuration.alpha = try fields.number("lora_alpha")
        configuration.dropout = try fields.number(ifPresent: "lora_dropout") ?? 0
        configuration.usesRSLoRA = try fields.bool(ifPresent: "use_rslora") ?? false
        configuration.baseModel = try fields.string(ifPresent: "base_model_name_or_path")
        configuration.targetModules = try targets(fields)
        configuration.rankPattern = try overrides(fields, "rank_pattern") { try $0.integer($1) }
        configuration.alphaPattern = try overrides(fields, "alpha_pattern") { try $0.number($1) }
        try configuration.check(file: fields.place)
        let known = readFields + ignoredFields + refusedFields
        let unknown = fields.object.members.filter {
            !known.contains($0.key) && !$0.value.isOff
        }
        return (configuration, unknown.map(\.key))
    }

    /// The file's value: the fields that every version of PEFT accepts.
    static func value(of configuration: LoRAConfiguration) -> JSONValue {
        func object<Value>(
            _ overrides: [LoRAConfiguration.Override<Value>], _ json: (Value) -> JSONValue
        ) -> JSONValue {
            .object(JSONObject(overrides.map { ($0.module, json($0.value)) }))
        }
        return [
            "alpha_pattern": object(configuration.alphaPattern, number),
            "auto_mapping": nil,
            "base_model_name_or_path": configuration.baseModel.map { .string($0) } ?? nil,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
            "init_lora_weights": true,
            "layers_pattern": nil,
            "layers_to_transform": nil,
            "loftq_config": [:],
            "lora_alpha": number(configuration.alpha),
            "lora_dropout": .number(configuration.dropout),
            "megatron_config": nil,
            "megatron_core": "megatron.core",
            "modules_to_save": nil,
            "peft_type": "LORA",
            "r": .integer(configuration.rank),
            "rank_pattern": object(configuration.rankPattern) { .integer($0) },
            "revision": nil,
            "target_modules": .array(configuration.targetNames.map { .string($0) }),
            "task_type": "CAUSAL_LM",
            "use_dora": false,
            "use_rslora": .bool(configuration.usesRSLoRA),
        ]
    }

    /// Fields that ``read(_:)`` looks at.
    private static let readFields = [
        "peft_type", "r", "lora_alpha", "lora_dropout", "use_rslora", "target_modules",
        "base_model_name_or_path", "rank_pattern", "alpha_pattern", "bias", "init_lora_weights",
    ]
    /// Fields that do not bear on the results of a trained adapter.
    private static let ignoredFields = [
        "auto_mapping", "inference_mode", "layers_pattern", "megatron_core", "peft_version",
        "qalora_group_size", "revision", "task_type",
    ]
    /// Fields that change what an adapter computes, or which tensors it has, unless they are off.
    private static let refusedFields = [
        "alora_invocation_tokens", "arrow_config", "corda_config", "ensure_weight_tying",
        "eva_config", "exclude_modules", "fan_in_fan_out", "kasa_config", "layer_replication",
        "layers_to_transform", "loftq_config", "lora_bias", "lora_ga_config", "megatron_config",
        "modules_to_save", "monteclora_config", "target_parameters", "trainable_token_indices",
        "use_bdlora", "use_dora", "use_qalora", "velora_config",
    ]
    /// Initialisations that leave the base model's weights alone; the others do not.
    private static let initializations = ["gaussian", "orthogonal"]

    private static func check(_ fields: JSONFields) throws {
        func refuse(_ field: String, _ found: JSONValue, expected: String) -> LoRAError {
            .unsupported(
                file: fields.place, field: field, found: JSONWriter().string(found),
                expected: expected)
        }
        let type = try fields.string("peft_type")
        guard type == "LORA" else {
            throw refuse("peft_type", .string(type), expected: "\"LORA\"")
        }
        for field in refusedFields {
            if let value = fields.object[field], !value.isOff {
                throw refuse(field, value, expected: "null, false or nothing in it")
            }
        }
        if let bias = try fields.string(ifPresent: "bias"), bias != "none" {
            throw refuse("bias", .string(bias), expected: "\"none\"")
        }
        let initialization = fields.object["init_lora_weights"] ?? nil
        switch initialization {
        case .null, .bool: break
        case .string(let name) where initializations.contains(name): break
        default:
            throw refuse(
                "init_lora_weights", initialization,
                expected: "true, false, \"gaussian\" or \"orthogonal\"")
        }
    }

    private static func targets(_ fields: JSONFields) throws -> [String] {
        guard case .string(let text) = try fields.value("target_modules") else {
            return try fields.strings("target_modules")
        }
        guard text == LoRAConfiguration.allLinear else {
            throw LoRAError.unsupported(
                file: fields.place, field: "target_modules",
                found: JSONWriter().string(.string(text)),
                expected: "a list of names instead of a regular expression")
        }
        return [text]
    }

    private static func overrides<Value>(
        _ fields: JSONFields, _ field: String, _ get: (JSONFields, String) throws -> Value
    ) throws -> [LoRAConfiguration.Override<Value>] {
        guard let pattern = try fields.object(ifPresent: field) else { return [] }
        return try pattern.object.keys.map { module in
            // To PEFT these are regular expressions; names mean the same in both readings.
            let isName = module.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
            guard isName else {
                throw LoRAError.unsupported(
                    file: fields.place, field: field, found: JSONWriter().string(.string(module)),
                    expected: "names instead of regular expressions")
            }
            return LoRAConfiguration.Override(module: module, value: try get(pattern, module))
        }
    }

    /// A number as PEFT's users write it: `16`, not `16.0`.
    private static func number(_ value: Double) -> JSONValue {
        Int(exactly: value).map { .integer($0) } ?? .number(value)
    }
}

extension JSONValue {
    /// Whether the value says that a feature is not used: `null`, `false` or empty.
    fileprivate var isOff: Bool {
        switch self {
        case .null, .bool(false): true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let object): object.isEmpty
        default: false
        }
    }
}
