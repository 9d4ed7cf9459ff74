import ArgumentParser
import ModelLoading
import TreeSSMText
import TreeTopology

/// Which model to use, with which adapter and topology; shared by commands that score or talk.
public struct ModelOptions: ParsableArguments {
    /// The model; needed by ``load(notes:)``.
    @Option(
        help: """
            A model's folder in Hugging Face layout, or org/name on the Hugging Face hub, \
            downloaded once.
            """)
    public var model: String?

    /// The adapter.
    @Option(help: "The folder of a PEFT LoRA adapter.")
    public var adapter: String?

    /// How states flow.
    @OptionGroup public var topology: TopologyOptions

    /// Where to compute.
    @OptionGroup public var engine: EngineOptions

    /// Creates options of which none is given.
    public init() {}

    /// The model that was named.
    ///
    /// - Throws: Wrong usage if none was.
    @discardableResult
    public func needed() throws -> String {
        guard let model else { throw ValidationError("--model is missing") }
        return model
    }

    /// Loads the model, attaches the adapter and sets the topology.
    ///
    /// - Parameter notes: Called with what is worth knowing but no error.
    /// - Returns: The model, ready to be used.
    /// - Throws: An error of the model's or the adapter's files; wrong usage if no model is named.
    public func load(notes: (String) -> Void) throws -> LoadedModel {
        let model = try needed()
        let folder = try ModelFolder.find(model)
        if let adapter { try FolderContents.requireAdapter(adapter) }
        let (base, cpu) = try engine.loadModel(folder, notes: notes)
        return try LoadedModel(
            base, engine: cpu, name: model, folder: folder, adapter: adapter,
            topology: topology.applied, notes: notes)
    }
}

extension TopologySettings.Kind: ExpressibleByArgument {}
extension EdgeTransition: ExpressibleByArgument {}

/// How states flow between tokens; what is not given comes from the adapter, or is a default.
public struct TopologyOptions: ParsableArguments {
    /// A tree over each prompt, or a chain.
    @Option(
        help: """
            A tree over each prompt (tree) or plain Mamba (chain). Default: a tree in training, \
            else what the adapter or model was trained with, else a chain.
            """)
    public var topology: TopologySettings.Kind?

    /// The weight of the tree's state.
    @Option(help: "The weight of the tree's state beside the chain's. (default: 0.3)")
    public var treeScale: Float?

    /// How far apart two prompt tokens may be that share an edge.
    @Option(help: "Prompt tokens up to this far apart may share an edge of the tree. (default: 3)")
    public var treeNeighbors: Int?

    /// Which token's decay weighs an edge.
    @Option(
        help: """
            The token whose decay weighs the edge from a token to its parent: the next one \
            (successor), the parent, or the token itself (child). (default: successor)
            """)
    public var edgeTransition: EdgeTransition?

    /// The weight of the chain's state.
    @Option(
        help: """
            The weight of the chain's state; --topology chain --chain-gain 1.3 is the control that \
            tells what the tree itself does. (default: 1.0)
            """)
    public var chainGain: Float?

    /// Creates options of which none is given.
    public init() {}

    /// Refuses invalid values.
    public func validate() throws {
        do {
            try applied(to: TopologySettings(kind: .tree)).tree.validate()
        } catch TreeSettingsError.value(let setting, let found, let expected) {
            let name = CommandArguments.kebabCased("--" + setting)
            throw ValidationError("\(name) is \(found), expected \(expected)")
        }
    }

    /// The settings, with what the user gave in place of what they held.
    public func applied(to settings: TopologySettings) -> TopologySettings {
        var settings = settings
        settings.kind = topology ?? settings.kind
        settings.tree.scale = treeScale ?? settings.tree.scale
        settings.tree.neighbors = treeNeighbors ?? settings.tree.neighbors
        settings.tree.transition = edgeTransition ?? settings.tree.transition
        settings.tree.chainGain = chainGain ?? settings.tree.chainGain
        return settings
    }
}
