import Hub
import Kernels
import LoRA
import MambaLM
import Prompting
import Storage
import Tensors
import Tokenization

/// A model that is ready to be used.
public struct LoadedModel {
    /// The model.
    public let model: MambaModel
    /// What it computes with.
    public let engine: CPUEngine
    /// Its name as the user gave it.
    public let name: String
    /// Its folder.
    public let folder: String
    /// What is attached to it.
    public let adapters: LoRAAdapterSet?
    /// What the adapter, or the model, was trained with.
    public let record: AdapterRecord?
    /// How states flow.
    public let topology: TopologySettings

    /// Attaches an adapter to a model and lets states flow as both were trained.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - engine: What it computes with.
    ///   - name: Its name as the user gave it.
    ///   - folder: Its folder.
    ///   - adapter: The adapter's folder; nil for none.
    ///   - topology: Puts what the user asked for in place of what the adapter, or the model, was trained with.
    ///   - notes: Called with what is worth knowing but no error.
    /// - Throws: An error of the adapter's files.
    public init(
        _ model: MambaModel, engine: CPUEngine, name: String, folder: String, adapter: String?,
        topology: (TopologySettings) -> TopologySettings = { $0 }, notes: (String) -> Void
    ) throws {
        (self.model, self.engine, self.name, self.folder) = (model, engine, name, folder)
        adapters = try adapter.map {
            let read = try LoRAAdapterSet.read($0, attachingTo: model)
            read.notes.forEach(notes)
            return read.adapters
        }
        record = try AdapterRecord.read(folder: adapter ?? folder)
        self.topology = topology(record?.topology ?? TopologySettings(kind: .chain))
        model.flow = self.topology.flow
    }

    /// Loads a model, attaches an adapter and lets states flow as both were trained: `mambatreel.json` tells.
    ///
    ///     let loaded = try LoadedModel("state-spaces/mamba-130m-hf", adapter: "out/mine")
    ///
    /// - Parameters:
    ///   - model: A folder, or `org/name` on the Hugging Face hub, downloaded once.
    ///   - adapter: The same of an adapter; nil for none.
    ///   - engine: What computes; by default all cores.
    ///   - format: The type of the weights in memory.
    ///   - hub: Where models of the hub are.
    ///   - notes: Called with what is worth knowing but no error.
    ///   - progress: Called now and then during a download; false stops it.
    /// - Throws: ``FolderError``, `HubError`, or an error of the files or the engine.
    public init(
        _ model: String, adapter: String? = nil, engine: CPUEngine? = nil,
        format: WeightMatrix.Format = .float32, hub: HubCache = HubCache(),
        notes: (String) -> Void = { _ in }, progress: (DownloadProgress) -> Bool = { _ in true }
    ) throws {
        let folder = try hub.resolve(model, progress: progress)
        try FolderContents.requireModel(folder)
        let adapter = try adapter.map { try hub.resolve($0, progress: progress) }
        if let adapter { try FolderContents.requireAdapter(adapter) }
        let cpu = engine ?? CPUEngine(threads: Processor.physicalCores)
        let (base, unused) = try MambaModel.load(
            folder: folder, engine: cpu, format: format, availableBytes: Processor.availableBytes)
        for name in unused { notes("\(folder): tensor '\(name)' is not used") }
        try self.init(
            base, engine: cpu, name: model, folder: folder, adapter: adapter, notes: notes)
    }

    /// The prompt template that the adapter, or the model, was trained with.
    ///
    /// - Parameter tokenizer: The model's tokenizer.
    /// - Returns: The template; that of the paper's code if nothing tells.
    /// - Throws: An error of the template.
    public func template(for tokenizer: LoadedTokenizer) throws -> PromptTemplate {
        try PromptTemplate(
            name: record?.template ?? PromptTemplate.standardName, source: record?.templateSource,
            tokenizer: tokenizer.configuration)
    }

    /// The tokenizer of the model's folder; `nil` if it has none.
    public func tokenizer() throws -> LoadedTokenizer? {
        try Self.tokenizer(folder: folder, isNeeded: false)
    }

    /// The tokenizer of a model's folder.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - isNeeded: Whether it is an error if there is none.
    /// - Returns: The tokenizer; `nil` if there is none.
    /// - Throws: `TokenizerError`, `JSONError` or `FileError`.
    public static func tokenizer(folder: String, isNeeded: Bool) throws -> LoadedTokenizer? {
        let exists = TokenizerLoader.names.contains { FilePath.exists("\(folder)/\($0)") }
        return exists || isNeeded ? try TokenizerLoader.load(at: folder) : nil
    }
}
