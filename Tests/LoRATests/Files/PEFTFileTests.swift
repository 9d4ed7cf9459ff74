import MambaLM
import Storage
import Tensors
import TestSupport
import Testing

@testable import LoRA

@Suite("Adapter files of PEFT")
struct PEFTFileTests {
    private let folder = TemporaryFolder()
    private let embedding = "base_model.model.backbone.embeddings."
    private let layers = "base_model.model.backbone.layers."

    /// The fields that releases of early 2024 write.
    private let oldFields: JSONObject = [
        "alpha_pattern": [:], "auto_mapping": nil, "base_model_name_or_path": "some/model",
        "bias": "none", "fan_in_fan_out": false, "inference_mode": true,
        "init_lora_weights": true, "layers_pattern": nil, "layers_to_transform": nil,
        "loftq_config": [:], "lora_alpha": 6, "lora_dropout": 0.25, "megatron_config": nil,
        "megatron_core": "megatron.core", "modules_to_save": nil, "peft_type": "LORA", "r": 2,
        "rank_pattern": [:], "revision": nil, "target_modules": ["out_proj", "embeddings"],
        "task_type": "CAUSAL_LM", "use_dora": false, "use_rslora": false,
    ]

    /// The fields of release 0.21.2.
    private var newFields: JSONObject {
        var fields = oldFields
        for name in [
            "alora_invocation_tokens", "arrow_config", "corda_config", "eva_config",
            "exclude_modules", "kasa_config", "layer_replication", "lora_ga_config",
            "monteclora_config", "target_parameters", "trainable_token_indices", "use_bdlora",
            "velora_config",
        ] {
            fields[name] = JSONValue.null
        }
        for name in ["ensure_weight_tying", "lora_bias", "use_qalora"] { fields[name] = false }
        fields["peft_version"] = "0.21.2"
        fields["qalora_group_size"] = 16
        return fields
    }

    private func write(_ fields: JSONObject) throws {
        try AtomicFile.write(
            JSONWriter(indent: 2).string(.object(fields)), to: folder.file("adapter_config.json"))
    }

    /// A tensor of the file: `first, first + 1, …`, divided by 16.
    private struct Stored {
        var name: String
        var shape: [Int]
        var first = 0
        var last: Float?

        var values: [Float] {
            let count = shape.reduce(1, *)
            var values = (0..<count).map { Float($0 + first) / 16 }
            if let last { values[count - 1] = last }
            return values
        }
    }

    private var tensors: [Stored] {
        var tensors = [
            Stored(name: embedding + "lora_embedding_A", shape: [2, 11]),
            Stored(name: embedding + "lora_embedding_B", shape: [6, 2], first: 30),
        ]
        for layer in 0..<2 {
            let name = "\(layers)\(layer).mixer.out_proj."
            tensors += [
                Stored(name: name + "lora_A.weight", shape: [2, 8], first: 50 + layer),
                Stored(name: name + "lora_B.weight", shape: [6, 2], first: -layer),
            ]
        }
        return tensors
    }

    private func write(
        _ tensors: [Stored], type: ElementType = .float32,
        metadata: [String: String] = ["format": "pt"]
    ) throws {
        let values = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.values) })
        try SafetensorsWriter.write(
            tensors.map { .init(name: $0.name, type: type, shape: $0.shape) },
            metadata: metadata, to: folder.file("adapter_model.safetensors")
        ) { spec, sink in
            let floats = values[spec.name] ?? []
            if type == .float16 {
                let halves = floats.map { Float16($0).bitPattern }
                try sink.write(bytes: halves.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
            } else {
                try sink.write(floats: floats)
            }
        }
    }

    private func read(_ model: MambaModel = TinyModel.make()) throws -> LoRAAdapterSet {
        let (adapters, notes) = try LoRAAdapterSet.read(folder.path, attachingTo: model)
        #expect(notes == [adapters.note].compactMap { $0 })
        return adapters
    }

    @Test(
        "files of old and new releases are read, in every precision",
        arguments: [ElementType.float32, .float16, .bfloat16], [false, true])
    func reading(type: ElementType, isNew: Bool) throws {
        try write(isNew ? newFields : oldFields)
        try write(tensors, type: type)
        let model = TinyModel.make()
        let adapters = try read(model)
        #expect(isNew ? newFields.count == 41 : oldFields.count == 23)
        #expect(adapters.configuration.baseModel == "some/model")
        guard case .embedding(let embedding, _) = adapters.attachments[0].adapter,
            let linear = model.blocks[1].mixer.outProj.adapter as? LoRALinear
        else {
            Issue.record("no adapters of the embedding and of out_proj")
            return
        }
        #expect(adapters.attachments.count == 3)
        #expect(embedding.scaling == 3 && linear.scaling == 3 && linear.dropout == 0.25)
        #expect(embedding.loraA.value[7, 1] == Float(11 + 7) / 16)
        #expect(embedding.loraB.value.values == tensors[1].values)
        #expect(linear.loraA.value.values == tensors[4].values)
        #expect(linear.loraB.value.values == tensors[5].values)
        #expect(adapters.parameters.allSatisfy { !$0.isTrainable })
    }

    @Test("what is written is read back, and written again byte for byte")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 5)
        var configuration = LoRAConfiguration()
        configuration.rank = 3
        configuration.alpha = 0.1
        configuration.dropout = 0.05
        configuration.targetModules = ["all-linear", "embeddings", "x_proj"]
        configuration.usesRSLoRA = true
        configuration.rankPattern = [.init(module: "layers.1.mixer.in_proj", value: 2)]
        configuration.alphaPattern = [.init(module: "embeddings", value: 7)]
        configuration.baseModel = "Mamba \"é\""
        let written = try LoRAAdapterSet.attach(
            configuration, to: TinyModel.make(), using: &generator)
        for parameter in written.parameters {
            parameter.replaceValue(.random(parameter.value.shape, in: -1...1, using: &generator))
        }
        try written.write(to: folder.path)
        let files = ["adapter_config.json", "adapter_model.safetensors"]
        let bytes = files.map { rawContents(folder.file($0)) }

        let adapters = try read()
        configuration.targetModules = ["dt_proj", "embeddings", "in_proj", "out_proj", "x_proj"]
        #expect(adapters.configuration == configuration)
        #expect(adapters.parameters.map(\.name) == written.parameters.map(\.name))
        #expect(adapters.parameters.map(\.value.values) == written.parameters.map(\.value.values))
        try adapters.write(to: folder.path)
        #expect(files.map { rawContents(folder.file($0)) } == bytes)
    }

    @Test("the configuration is written as PEFT writes it")
    func configurationText() throws {
        var generator = SeededGenerator(seed: 5)
        var configuration = LoRAConfiguration()
        configuration.baseModel = "state-spaces/mamba-130m-hf"
        try LoRAAdapterSet.attach(configuration, to: TinyModel.make(), using: &generator)
            .write(to: folder.path)
        let text = """
            {
              "alpha_pattern": {},
              "auto_mapping": null,
              "base_model_name_or_path": "state-spaces/mamba-130m-hf",
              "bias": "none",
              "fan_in_fan_out": false,
              "inference_mode": true,
              "init_lora_weights": true,
              "layers_pattern": null,
              "layers_to_transform": null,
              "loftq_config": {},
              "lora_alpha": 16,
              "lora_dropout": 0.0,
              "megatron_config": null,
              "megatron_core": "megatron.core",
              "modules_to_save": null,
              "peft_type": "LORA",
              "r": 8,
              "rank_pattern": {},
              "revision": null,
              "target_modules": [
                "embeddings",
                "in_proj",
                "out_proj",
                "x_proj"
              ],
              "task_type": "CAUSAL_LM",
              "use_dora": false,
              "use_rslora": false
            }
            """
        let found = rawContents(folder.file("adapter_config.json"))
        #expect(String(decoding: found, as: UTF8.self) == text)
    }

    @Test("tensors are written in the order of their names, with the embedding's scope")
    func tensorFile() throws {
        try write(oldFields)
        try write(tensors)
        try read().write(to: folder.path)
        let file = try SafetensorsFile(path: folder.file("adapter_model.safetensors"))
        #expect(
            file.metadata == [
                "format": "pt", "embedding_adapter": "lookup", "producer": "mambatreel",
            ])
        #expect(file.tensors.map(\.name) == tensors.map(\.name).sorted())
        for tensor in tensors {
            let found = try file.tensor(tensor.name)
            #expect(found.shape == tensor.shape && found.type == .float32)
            #expect(try file.floats(of: found) == tensor.values)
        }
    }

    @Test(
        "fields that would change the results are refused by name",
        arguments: [
            ("use_dora", true), ("fan_in_fan_out", true), ("bias", "lora_only"),
            ("modules_to_save", ["embeddings"]), ("layers_to_transform", [0]),
            ("layers_to_transform", 0), ("target_parameters", ["A_log"]),
            ("trainable_token_indices", [1]), ("layer_replication", [[0, 1]]),
            ("exclude_modules", "x"), ("lora_bias", true), ("peft_type", "IA3"),
            ("target_modules", ".*proj"), ("init_lora_weights", "pissa"),
            ("rank_pattern", ["^in_proj": 2]), ("loftq_config", ["loftq_bits": 4]),
        ] as [(String, JSONValue)])
    func refusedFields(field: String, value: JSONValue) throws {
        var fields = newFields
        fields[field] = value
        try write(fields)
        try write(tensors)
        let model = TinyModel.make()
        #expect {
            try LoRAAdapterSet.read(folder.path, attachingTo: model)
        } throws: { error in
            guard case LoRAError.unsupported(let file, let found, _, _) = error else {
                return false
            }
            return found == field && file == folder.file("adapter_config.json")
        }
        #expect(model.embeddings.adapter == nil)
    }

    @Test("unknown fields that hold something are reported")
    func unknownFields() throws {
        var fields = oldFields
        fields["use_new_thing"] = 3
        fields["use_other_thing"] = false
        try write(fields)
        try write(tensors)
        let result = try LoRAAdapterSet.read(folder.path, attachingTo: TinyModel.make())
        let file = folder.file("adapter_config.json")
        #expect(result.notes == ["\(file): field 'use_new_thing' is not known"])
    }

    // Unmerged, transformers with PEFT passes such an adapter by, and nobody said so.
    @Test("an adapter on dt_proj is told, fresh and read", arguments: ["all-linear", "dt_proj"])
    func stepProjection(target: String) throws {
        var configuration = LoRAConfiguration()
        configuration.targetModules = [target]
        var generator = SeededGenerator(seed: 1)
        let fresh = try LoRAAdapterSet.attach(
            configuration, to: TinyModel.make(), using: &generator)
        let note = try #require(fresh.note)
        #expect(note.contains("dt_proj") && note.contains("PEFT"))
        try fresh.write(to: folder.path)
        let read = try LoRAAdapterSet.read(folder.path, attachingTo: TinyModel.make())
        #expect(read.notes == [note])
    }

    @Test("a field out of range is named with its file", arguments: [0, -1, 65537, Int.max])
    func rank(value: Int) throws {
        var fields = oldFields
        fields["r"] = .integer(value)
        try write(fields)
        #expect(
            throws: LoRAError.outOfRange(
                file: folder.file("adapter_config.json"), field: "r", found: "\(value)",
                expected: "an integer in 1...65536")
        ) { try read() }
    }

    @Test("a misspelt target is an error though another one fits")
    func target() throws {
        var fields = oldFields
        fields["target_modules"] = ["out_proj", "embedings"]
        try write(fields)
        try write(tensors)
        #expect(
            throws: LoRAError.unknownTarget(
                file: folder.file("adapter_config.json"), name: "embedings",
                available: ["embeddings", "in_proj", "x_proj", "dt_proj", "out_proj", "lm_head"])
        ) { try read() }
    }

    @Test("missing, misshapen and extra tensors are named, and nothing is attached")
    func tensorFaults() throws {
        try write(oldFields)
        let path = folder.file("adapter_model.safetensors")
        let model = TinyModel.make()
        try write(Array(tensors.dropLast()))
        #expect(throws: SafetensorsError.missingTensor(file: path, name: tensors[5].name)) {
            try read(model)
        }
        var misshapen = tensors
        misshapen[0].shape = [2, 12]
        try write(misshapen)
        #expect(
            throws: LoRAError.tensorShape(
                file: path, name: tensors[0].name, found: [2, 12], expected: [2, 11])
        ) { try read(model) }
        for value in [Float.nan, .infinity] {
            var infinite = tensors
            infinite[3].last = value
            try write(infinite)
            #expect(throws: LoRAError.notFinite(file: path, name: tensors[3].name)) {
                try read(model)
            }
        }
        let extra = Stored(name: layers + "0.mixer.in_proj.lora_A.weight", shape: [2, 6])
        try write(tensors + [extra])
        #expect(throws: LoRAError.unexpectedTensor(file: path, name: extra.name)) {
            try read(model)
        }
        try write(tensors, metadata: ["embedding_adapter": "tied"])
        #expect(
            throws: LoRAError.unsupported(
                file: path, field: "embedding_adapter", found: "'tied'", expected: "'lookup'")
        ) { try read(model) }
        #expect(model.embeddings.adapter == nil && !model.blocks[0].isTrainable)
        #expect(model.blocks[0].mixer.outProj.adapter == nil)
    }

    @Test("copies of base weights are accepted if they are equal", arguments: [true, false])
    func baseCopies(isEqual: Bool) throws {
        var fields = oldFields
        fields["target_modules"] = ["lm_head"]
        try write(fields)
        let model = TinyModel.make()
        let table = Tensor((0..<66).map { Float($0 + (isEqual ? 0 : 1)) / 16 }, shape: [11, 6])
        model.embeddings.weight.replaceValue(table)
        let name = "base_model.model.lm_head."
        try write([
            Stored(name: name + "base_layer.weight", shape: [11, 6]),
            Stored(name: name + "lora_A.weight", shape: [2, 6]),
            Stored(name: name + "lora_B.weight", shape: [11, 2]),
        ])
        if isEqual {
            #expect(try read(model).parameters.count == 2)
            #expect(model.lmHead.adapter != nil)
        } else {
            #expect(
                throws: LoRAError.differentBase(
                    file: folder.file("adapter_model.safetensors"),
                    name: name + "base_layer.weight")
            ) { try read(model) }
        }
    }

    @Test("a file of another kind is refused")
    func otherFiles() throws {
        try write(["model_type": "mamba"])
        #expect(throws: LoRAError.unknownFormat(file: folder.file("adapter_config.json"))) {
            try read()
        }
        try write(oldFields)
        #expect(
            throws: SafetensorsError.noCheckpoint(looked: [
                folder.file("adapter_model.safetensors"),
                folder.file("adapter_model.safetensors.index.json"),
            ])
        ) { try read() }
    }
}
