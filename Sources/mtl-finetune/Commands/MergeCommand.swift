import ArgumentParser
import CommandSupport
import LoRA
import MambaLM
import ModelLoading
import Python
import Storage
import Tensors

/// `mtl-finetune merge`: a model whose weights contain the adapter.
struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Add an adapter to a model's weights and write the result.",
        discussion: """
            An adapter on the embedding acts on the look-up only. Where the output projection \
            shares the embedding's weight, the merged model therefore gets one of its own.
            """
                + HelpText.examples(
                    "mtl-finetune merge --model MODEL --adapter out/mine --output out/merged"))

    /// What happens to a tied output projection.
    enum Untie: String, ExpressibleByArgument, CaseIterable {
        /// It becomes a tensor of its own where the embedding has an adapter.
        case auto
    }

    @Option(
        help: """
            A model's folder in Hugging Face layout, or org/name on the Hugging Face hub, \
            downloaded once.
            """)
    var model: String

    @Option(help: "The folder of a PEFT LoRA adapter.")
    var adapter: String

    @OptionGroup var target: ModelOutputOptions

    @Option(help: "When the output projection gets a weight of its own: auto.")
    var untie = Untie.auto

    @Flag(help: "Compare the merged model's log-probabilities with the adapted model's.")
    var verify = false

    @OptionGroup var engine: EngineOptions
    @OptionGroup var configuration: ConfigurationOption

    func validate() throws {
        guard engine.dtype == .float32 else {
            throw ValidationError(
                "--dtype is \(engine.dtype.rawValue), expected float32: merged weights are not "
                    + "rounded")
        }
    }

    func run() throws {
        let folder = try ModelFolder.find(model)
        try FolderContents.requireAdapter(adapter)
        let inputs = [
            OutputRule.Input(folder, option: "--model"),
            OutputRule.Input(adapter, option: "--adapter"),
        ]
        try target.check(apartFrom: inputs, companions: ModelCompanions.names)
        let base = try MambaModel.load(folder: folder, engine: engine.makeEngine()).model
        let adapters = try LoRAAdapterSet.read(
            adapter, attachingTo: base, notes: Terminal.printNote)
        let merged = adapters.merged(into: base)
        try target.write(apartFrom: inputs, companions: ModelCompanions.names) { output in
            for file in try ModelCompanions.read(folder: folder) {
                try AtomicFile.write(to: "\(output)/\(file.name)") { try $0.write(file.content) }
            }
            if let record = try AdapterRecord.read(folder: adapter) {
                try AtomicFile.write(record.text, to: "\(output)/\(AdapterRecord.fileName)")
            }
            try merged.save(folder: output)
            var card = ModelCard(
                name: FilePath.name(of: FilePath.trimmed(target.output)), kind: .merged,
                baseModel: model, record: try AdapterRecord.read(folder: adapter))
            card.baseFolder = folder
            card.facts = [("adapter", adapter)]
            try card.write(to: output, replacing: target.output)
        }
        let head = merged.isTied == base.isTied ? "" : ", with an output projection of its own"
        Terminal.printResult(
            "\(target.output): \(merged.configuration.parameterCount) parameters\(head)")
        if try AdapterRecord.read(folder: adapter)?.topology.kind == .tree {
            Terminal.printNote(
                "it was trained with the tree, which these programs take from \(AdapterRecord.fileName); "
                    + "other programs run this as the chain, and answer differently")
        }
        if verify { try compare(base, merged) }
    }

    /// Scores pseudo-random tokens with both models.
    private func compare(_ adapted: MambaModel, _ merged: MambaModel) throws {
        var generator = SplitMix64(seed: 1)
        let vocabulary = Int32(clamping: adapted.configuration.vocabulary)
        let tokens = (0..<128).map { _ in Int32.random(in: 0..<vocabulary, using: &generator) }
        let batch = TokenBatch([.init(tokens: tokens)])
        let scored = tokens.indices.dropFirst().map {
            ScoredToken(row: $0 - 1, target: tokens[$0])
        }
        let pairs = zip(
            adapted.score(batch, scored).logProbabilities,
            merged.score(batch, scored).logProbabilities)
        let worst = pairs.map { abs($0 - $1) }.max() ?? 0
        Terminal.printResult(
            "verified on \(tokens.count) tokens: log-probabilities differ by "
                + "\(PythonFloat.fixed(worst, places: 6)) at most")
        guard worst < 1e-2 else {
            throw MergeError.differs(output: target.output, by: PythonFloat.fixed(worst, places: 6))
        }
    }
}

/// What can be wrong with a merged model.
enum MergeError: Error, Equatable, CustomStringConvertible {
    /// It does not do what model and adapter do.
    case differs(output: String, by: String)

    var description: String {
        switch self {
        case .differs(let output, let by):
            "\(output): log-probabilities differ from the adapted model's by \(by), expected 0.01 at most"
        }
    }
}
