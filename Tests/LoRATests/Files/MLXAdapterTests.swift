import MambaLM
import Storage
import Tensors
import TestSupport
import Testing

@testable import LoRA

@Suite("Adapter files of mlx-lm")
struct MLXAdapterTests {
    private let folder = TemporaryFolder()

    private func write(
        _ fields: JSONObject = [:], parameters: JSONObject = [:], tensors: [(String, [Int])]
    ) throws {
        let lora = JSONObject(
            [("rank", 2), ("scale", 2.5), ("dropout", 0.1)]
                + parameters.members.map { ($0.key, $0.value) })
        let base: [(String, JSONValue)] = [
            ("fine_tune_type", "lora"), ("num_layers", -1), ("model", "some/model"),
            ("lora_parameters", .object(lora)), ("learning_rate", 1e-5),
        ]
        let all = JSONObject(base + fields.members.map { ($0.key, $0.value) })
        try AtomicFile.write(
            JSONWriter().string(.object(all)), to: folder.file("adapter_config.json"))
        try SafetensorsWriter.write(
            tensors.map { .init(name: $0.0, type: .float32, shape: $0.1) }, metadata: [:],
            to: folder.file("adapters.safetensors")
        ) { spec, sink in
            try sink.write(floats: (0..<spec.count).map(Float.init))
        }
    }

    private func tensors(of blocks: [Int]) -> [(String, [Int])] {
        blocks.flatMap { block in
            let name = "backbone.layers.\(block).mixer.in_proj."
            return [(name + "lora_a", [6, 2]), (name + "lora_b", [2, 16])]
        }
    }

    private func read(_ model: MambaModel = TinyModel.make()) throws -> LoRAAdapterSet {
        try LoRAAdapterSet.read(folder.path, attachingTo: model).adapters
    }

    @Test("factors are transposed, the scale is taken as it is")
    func reading() throws {
        try write(tensors: tensors(of: [0, 1]))
        let model = TinyModel.make()
        let adapters = try read(model)
        let linear = try #require(model.blocks[1].mixer.inProj.adapter as? LoRALinear)
        #expect(linear.scaling == 2.5 && linear.dropout == 0.1)
        #expect(linear.loraA.value.shape == [2, 6] && linear.loraB.value.shape == [16, 2])
        #expect(linear.loraA.value[1, 3] == 3 * 2 + 1)
        #expect(linear.loraB.value[5, 1] == 1 * 16 + 5)
        #expect(adapters.configuration.targetModules == ["in_proj"])
        #expect(adapters.configuration.baseModel == "some/model")
    }

    @Test("adapters of the last blocks only are named in full, and written for PEFT")
    func lastBlocks() throws {
        try write(["num_layers": 1], tensors: tensors(of: [1]))
        let adapters = try read()
        #expect(adapters.configuration.targetModules == ["backbone.layers.1.mixer.in_proj"])
        try adapters.write(to: folder.path)
        let again = try read()
        #expect(again.parameters.map(\.name) == adapters.parameters.map(\.name))
        #expect(again.parameters.map(\.value.values) == adapters.parameters.map(\.value.values))
        #expect(again.configuration == adapters.configuration)
    }

    @Test("a block without its tensors is an error")
    func missing() throws {
        try write(tensors: tensors(of: [0]))
        #expect(
            throws: SafetensorsError.missingTensor(
                file: folder.file("adapters.safetensors"),
                name: "backbone.layers.1.mixer.in_proj.lora_a")
        ) { try read() }
    }

    @Test(
        "tensors of other layers and kinds are errors",
        arguments: [
            "backbone.layers.0.mixer.in_proj.m", "backbone.layers.0.mixer.in_proj",
            "backbone.layers.7.mixer.in_proj.lora_a", "lora_a", ".lora_a", "",
        ])
    func unexpected(name: String) throws {
        try write(tensors: tensors(of: [0, 1]) + [(name, [1])])
        #expect(
            throws: LoRAError.unexpectedTensor(
                file: folder.file("adapters.safetensors"), name: name)
        ) { try read() }
    }

    @Test("an adapter outside the last blocks is an error")
    func outside() throws {
        try write(["num_layers": 1], tensors: tensors(of: [0, 1]))
        #expect(
            throws: LoRAError.unexpectedTensor(
                file: folder.file("adapters.safetensors"),
                name: "backbone.layers.0.mixer.in_proj.lora_a")
        ) { try read() }
    }

    @Test("an adapter of the embedding is refused")
    func embedding() throws {
        try write(tensors: [("backbone.embeddings.lora_a", [11, 2])])
        #expect(
            throws: LoRAError.embeddingInHead(
                file: folder.file("adapters.safetensors"), name: "backbone.embeddings.lora_a")
        ) { try read() }
    }

    @Test("other kinds of fine-tuning, and a scale of unclear meaning, are refused by name")
    func refused() throws {
        func field(_ body: () throws -> Void) -> String? {
            do {
                try body()
            } catch LoRAError.unsupported(_, let field, _, _) {
                return field
            } catch {
                return "\(error)"
            }
            return nil
        }
        try write(["fine_tune_type": "dora"], tensors: tensors(of: [0, 1]))
        #expect(field { _ = try read() } == "fine_tune_type")
        try write(parameters: ["alpha": 16], tensors: tensors(of: [0, 1]))
        #expect(field { _ = try read() } == "lora_parameters.alpha")
    }

    @Test("a file without tensors is an error")
    func empty() throws {
        try write(tensors: [])
        #expect(
            throws: LoRAError.noTargets(
                file: folder.file("adapters.safetensors"),
                available: ["embeddings", "in_proj", "x_proj", "dt_proj", "out_proj", "lm_head"])
        ) { try read() }
    }
}
