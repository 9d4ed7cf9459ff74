import LoRA
import MambaLM
import Storage
import Tensors
import TestSupport
import Testing

@testable import GGUF

@Suite("Models and adapters as GGUF files")
struct GGUFContentTests {
    private static func model(
        tied: Bool = true, bias: Bool = false, inner: Int = 12
    ) -> MambaModel {
        var configuration = MambaConfiguration()
        (configuration.vocabulary, configuration.model, configuration.layers) = (300, 6, 2)
        (configuration.inner, configuration.state, configuration.stepRank) = (inner, 3, 2)
        (configuration.tiesEmbeddings, configuration.hasBias) = (tied, bias)
        var generator = SeededGenerator(seed: 3)
        return MambaModel.random(
            configuration, engine: makeEngine(threads: 1), using: &generator)
    }

    private static func file(_ content: GGUFContent, in folder: TemporaryFolder) throws -> GGUFFile
    {
        try GGUFWriter.write(content, to: folder.file("x.gguf"))
        return try GGUFFile(path: folder.file("x.gguf"))
    }

    private static func floats(_ file: GGUFFile, _ name: String) throws -> [Float] {
        let tensor = try #require(file.tensors.first { $0.name == name }, "\(name)")
        let bytes = file.bytes(of: tensor)
        #expect(tensor.type == .f32)
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            Float(
                bitPattern: bytes[start..<(start + 4)].reversed().reduce(0) {
                    $0 << 8 | UInt32($1)
                })
        }
    }

    @Test("a model's weights stand under llama.cpp's names, and decays are computed")
    func weights() throws {
        let (folder, model) = (TemporaryFolder(), Self.model())
        let file = try Self.file(
            GGUFContent(model, name: "tiny", tokenizer: TinyTokenizer.make(), type: .f32),
            in: folder)
        #expect(file.text("general.architecture") == "mamba")
        #expect(file["mamba.ssm.inner_size"] == .uint32(12))
        #expect(file["general.file_type"] == .uint32(0))
        #expect(file.tensors.count == 2 + 2 * 10)
        #expect(
            try Self.floats(file, "token_embd.weight") == model.embeddings.weight.value.values)
        let mixer = model.blocks[1].mixer
        #expect(try Self.floats(file, "blk.1.ssm_x.weight") == mixer.xProj.weight.value.values)
        #expect(try Self.floats(file, "blk.1.ssm_d") == mixer.D.value.values)
        // The official initialisation: the decays of states are -1, -2, -3.
        let decays = try Self.floats(file, "blk.0.ssm_a")
        expectClose(Array(decays[..<3]), [-1, -2, -3], within: .singlePrecision)
        let filter = try #require(file.tensors.first { $0.name == "blk.0.ssm_conv1d.weight" })
        #expect(filter.shape == [12, 4])
    }

    @Test("the vocabulary is filled up, and what text cannot name is control or unused")
    func vocabulary() throws {
        let (folder, model) = (TemporaryFolder(), Self.model())
        let file = try Self.file(
            GGUFContent(model, name: "tiny", tokenizer: TinyTokenizer.make(), type: .f32),
            in: folder)
        guard case .array(_, let tokens) = file["tokenizer.ggml.tokens"],
            case .array(_, let types) = file["tokenizer.ggml.token_type"]
        else { throw GGUFError.tokenizer(found: "none", expected: "lists") }
        #expect(tokens.count == 300 && types.count == 300)
        #expect(tokens[0] == .text("<|endoftext|>") && types[0] == .int32(3))
        #expect(tokens[257] == .text("th") && types[257] == .int32(1))
        #expect(tokens[299] == .text("[PAD299]") && types[299] == .int32(5))
        #expect(file["tokenizer.ggml.merges"] == .texts([Array("t h".utf8), Array(": :".utf8)]))
        #expect(file["tokenizer.ggml.add_bos_token"] == .bool(false))
        let starting = try GGUFContent(
            model, name: "tiny", tokenizer: TinyTokenizer.make(addsStart: true), type: .f32)
        #expect(
            starting.pairs.first { $0.key == "tokenizer.ggml.add_bos_token" }?.value == .bool(true))
    }

    @Test("a gain multiplies the rows of x_proj that make C, of model and adapter alike")
    func gain() throws {
        let (folder, model) = (TemporaryFolder(), Self.model())
        let file = try Self.file(
            GGUFContent(model, name: "tiny", tokenizer: nil, type: .f32, gain: 1.5), in: folder)
        let plain = model.blocks[0].mixer.xProj.weight.value.values
        let split = (2 + 3) * 12
        #expect(
            try Self.floats(file, "blk.0.ssm_x.weight")
                == plain[..<split] + plain[split...].map { $0 * 1.5 })
        #expect(file.text("tokenizer.ggml.model") == "none")
        #expect(file["mamba.vocab_size"] == .uint32(300))
        let adapters = try Self.adapters(on: model) { $0.targetModules = ["x_proj"] }
        let alone = try GGUFContent(adapters, of: model, name: "a", type: .f32, gain: 1.5)
        let adapter = try Self.file(alone, in: folder)
        let loraB = adapters.terms[0].loraB.values
        #expect(
            try Self.floats(adapter, "blk.0.ssm_x.weight.lora_b")
                == loraB[..<(5 * 2)] + loraB[(5 * 2)...].map { $0 * 1.5 })
        #expect(alone.notes.count == 1 && alone.notes[0].hasSuffix("--chain-gain 1.5"))
    }

    private static func adapters(
        on model: MambaModel, _ change: (inout LoRAConfiguration) -> Void
    ) throws -> LoRAAdapterSet {
        var configuration = LoRAConfiguration()
        configuration.rank = 2
        change(&configuration)
        var generator = SeededGenerator(seed: 4)
        let adapters = try LoRAAdapterSet.attach(configuration, to: model, using: &generator)
        for parameter in adapters.parameters {
            parameter.replaceValue(
                .random(parameter.value.shape, in: -1...1, using: &generator))
        }
        return adapters
    }

    @Test("an adapter's scalings become one alpha, and the rest goes into loraB")
    func scalings() throws {
        let (folder, model) = (TemporaryFolder(), Self.model())
        let adapters = try Self.adapters(on: model) {
            $0.targetModules = ["in_proj", "out_proj", "embeddings"]
            $0.usesRSLoRA = true
            $0.alphaPattern = [.init(module: "out_proj", value: 4)]
        }
        let content = try GGUFContent(adapters, of: model, name: "a", type: .f32)
        let file = try Self.file(content, in: folder)
        #expect(file.text("general.type") == "adapter" && file.text("adapter.type") == "lora")
        guard case .float32(let alpha) = file["adapter.lora.alpha"] else {
            throw GGUFError.adapter(layer: "alpha")
        }
        for term in adapters.terms {
            let layer = term.layer.split(separator: ".")
            let name =
                term.isEmbedding
                ? "token_embd.weight"
                : "blk.\(layer[2]).\(layer[4] == "in_proj" ? "ssm_in" : "ssm_out").weight"
            #expect(try Self.floats(file, name + ".lora_a") == term.loraA.values)
            let written = try Self.floats(file, name + ".lora_b").map { $0 * alpha / 2 }
            let wanted = term.loraB.values.map { Double($0 * term.scaling) }
            expectClose(written, wanted, within: .singlePrecision)
        }
        // llama.cpp ends where such an adapter meets a head that shares the embedding's weight.
        #expect(content.notes.count == 1 && content.notes[0].hasSuffix("exported with --untie"))
    }

    @Test("a shared output projection is left out unless it is asked for")
    func head() throws {
        func names(_ model: MambaModel, separatesHead: Bool = false) throws -> Set<String> {
            let content = try GGUFContent(
                model, name: "x", tokenizer: nil, type: .q8_0, separatesHead: separatesHead)
            return Set(content.tensors.map(\.name))
        }
        #expect(try !names(Self.model()).contains("output.weight"))
        #expect(try names(Self.model(), separatesHead: true).contains("output.weight"))
        #expect(try names(Self.model(tied: false)).contains("output.weight"))
        // Rows of 6 and 12 do not fill blocks of 32.
        let content = try GGUFContent(Self.model(), name: "x", tokenizer: nil, type: .q8_0)
        #expect(Set(content.tensors.map(\.type)) == [.f32, .f16])
    }

    @Test("what llama.cpp does not run is refused by name")
    func refusals() throws {
        #expect(throws: GGUFError.model("inner width", found: "8", expected: "12, twice its width"))
        {
            try GGUFContent(Self.model(inner: 8), name: "x", tokenizer: nil, type: .f32)
        }
        #expect(throws: GGUFError.self) {
            try GGUFContent(Self.model(bias: true), name: "x", tokenizer: nil, type: .f32)
        }
    }
}
