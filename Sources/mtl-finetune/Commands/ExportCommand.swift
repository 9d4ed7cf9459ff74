import ArgumentParser
import CommandSupport
import GGUF
import LoRA
import MambaLM
import ModelLoading
import Storage

/// `mtl-finetune export`: a model, or an adapter, as a file of llama.cpp.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract:
            "Write a model or an adapter as a GGUF file, for llama.cpp and what builds on it.",
        discussion: """
            With --adapter, the adapter is added to the model's weights; with --adapter-only as \
            well, the file holds the adapter alone, which 'llama-cli --lora' takes beside a model. \
            llama.cpp runs the chain: what was trained with a tree answers differently there. A \
            chain's gain is built into the weights.
            """
                + HelpText.examples(
                    "mtl-finetune export out/merged --outtype q8_0 -o mine.gguf",
                    "mtl-finetune export MODEL --adapter out/mine --adapter-only -o adapter.gguf"))

    /// The formats of other programs.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case gguf
    }

    @Argument(
        help: """
            A model's folder in Hugging Face layout, or org/name on the Hugging Face hub, \
            downloaded once.
            """)
    var model: String

    @Option(help: "The folder of a PEFT LoRA adapter.")
    var adapter: String?

    @Flag(help: "Write the adapter alone instead of the model with it.")
    var adapterOnly = false

    @Option(help: "The file's format: gguf.")
    var format = Format.gguf

    @Option(
        help: """
            How matrices are kept: f32, f16, bf16 or q8_0 (a byte a value). 'llama-quantize' makes \
            smaller ones from f16 or bf16.
            """)
    var outtype = GGUFOutputType.f16

    @Option(name: [.customShort("o"), .long], help: "The file to write.")
    var output: String

    @Flag(help: "Replace the file if it exists.")
    var overwrite = false

    @Flag(help: "Write what was trained with a tree, as the chain that llama.cpp runs.")
    var asChain = false

    @Option(
        help: """
            What the chain's states are multiplied by. Default: what the adapter or model was \
            trained with, else 1.
            """)
    var chainGain: Float?

    @Flag(
        help: """
            Give an output projection that shares the embedding's weight a tensor of its own, as an \
            adapter on the embedding needs it in llama.cpp.
            """)
    var untie = false

    @Flag(help: "Leave the tokenizer out.")
    var noTokenizer = false

    @OptionGroup(visibility: .hidden) var engine: EngineOptions
    @OptionGroup var configuration: ConfigurationOption

    func validate() throws {
        guard engine.dtype == .float32 else {
            throw ValidationError(
                "--dtype is \(engine.dtype.rawValue), expected float32; --outtype says how the file "
                    + "keeps weights")
        }
        if adapterOnly && adapter == nil {
            throw ValidationError("--adapter-only needs --adapter, which is missing")
        }
        if let chainGain, !chainGain.isFinite {
            throw ValidationError("--chain-gain is \(chainGain), expected a finite number")
        }
    }

    func run() throws {
        let folder = try ModelFolder.find(model)
        if let adapter { try FolderContents.requireAdapter(adapter) }
        let inputs =
            [OutputRule.Input(folder, option: "the model")]
            + (adapter.map { [OutputRule.Input($0, option: "--adapter")] } ?? [])
        try OutputRule.checkFile(output, apartFrom: inputs, isOverwriting: overwrite)
        let content = try content(folder: folder)
        content.notes.forEach(Terminal.printNote)
        try OutputRule.checkFile(output, apartFrom: inputs, isOverwriting: overwrite)
        try GGUFWriter.write(content, to: output)
        let types = content.tensors.reduce(into: [:]) { $0[$1.type.name, default: 0] += 1 }
        let counts = types.sorted { $0.key < $1.key }.map { "\($0.value) in \($0.key)" }
        Terminal.printResult(
            "\(output): \(content.tensors.count) tensors, \(counts.joined(separator: ", "))")
    }

    /// What the file is to hold.
    private func content(folder: String) throws -> GGUFContent {
        let record = try AdapterRecord.read(folder: adapter ?? folder)
        if record?.topology.kind == .tree && !asChain {
            throw ExportError.tree(path: adapter ?? folder)
        }
        let gain = chainGain ?? record?.topology.tree.chainGain ?? 1
        let model = try engine.loadModel(folder, notes: Terminal.printNote).model
        let adapters = try adapter.map {
            try LoRAAdapterSet.read($0, attachingTo: model, notes: Terminal.printNote)
        }
        let name = FilePath.name(of: FilePath.trimmed(adapter ?? self.model))
        if let adapters, adapterOnly {
            return try GGUFContent(adapters, of: model, name: name, type: outtype, gain: gain)
        }
        return try GGUFContent(
            adapters?.merged(into: model) ?? model, name: name,
            tokenizer: noTokenizer ? nil : LoadedModel.tokenizer(folder: folder, isNeeded: false),
            type: outtype, gain: gain, separatesHead: untie)
    }
}

extension GGUFOutputType: ExpressibleByArgument {}

/// Why something is not exported.
enum ExportError: Error, Equatable, CustomStringConvertible {
    /// It was trained with a tree.
    case tree(path: String)

    var description: String {
        switch self {
        case .tree(let path):
            "\(quotedPath(path)): was trained with a tree, expected a chain, which is all that llama.cpp "
                + "runs; --as-chain writes it as one, and it will answer differently"
        }
    }
}
