import MambaLM
import Tensors
import TreeTopology

/// MambaTreeL's flow of states: the chain, and beside it a tree over the prompt.
///
/// Every layer builds its own trees from its own operands: the minimum spanning tree over each
/// prompt's tokens, joined to their neighbours by edges of weight `exp(-cos(X[a], X[b]))`, rooted at
/// the prompt's last token. The choice of edges is discrete; no gradient flows through it. A
/// prompt of two tokens or less has the chain for its tree.
///
/// Source: Xiao et al. 2024, "MambaTree", section 3.3, and its released language code; unlike there,
/// each sequence has its own prompt length, and padding does not exist.
public struct TreeFlow: StateFlow {
    /// How trees are built and weighed.
    public var settings: TreeSettings

    /// Creates a flow; the settings must be valid.
    public init(_ settings: TreeSettings = TreeSettings()) {
        do {
            try settings.validate()
        } catch {
            preconditionFailure("\(error)")
        }
        self.settings = settings
    }

    /// Whether one state is enough after the prompt: with ``EdgeTransition/child`` it is not.
    public var hasSingleState: Bool { settings.transition != .child }

    /// Trees span prompts only.
    public var dependsOnPrompt: Bool { true }

    /// Names all settings.
    public var description: String {
        "tree, scale \(settings.scale), neighbors \(settings.neighbors), "
            + "transition \(settings.transition.rawValue), chain gain \(settings.chainGain)"
    }

    /// The chain of each sequence, and the graph of each prompt.
    ///
    /// The prompt of a sequence that continues from a state has a tree of its own tokens. What came before
    /// reaches them along the chain, into which the state enters.
    public func layout(lengths: [Int], promptLengths: [Int]) -> BatchLayout {
        precondition(lengths.count == promptLengths.count, "\(promptLengths.count) prompts")
        return BatchLayout(
            zip(lengths, promptLengths).map { length, promptLength in
                BatchLayout.Sequence(
                    length: length, chainGain: settings.chainGain, treeGain: settings.scale,
                    graph: graph(length: length, promptLength: promptLength))
            }, transition: settings.transition)
    }

    /// The graph whose spanning tree a sequence has; `nil` where that is the chain.
    private func graph(length: Int, promptLength: Int) -> NeighborGraph? {
        let hasTree = promptLength > 2 && length > 2
        // Of two tokens or less, the tree is the chain.
        guard hasTree || settings.transition == .child else { return nil }
        var graph = NeighborGraph(
            promptLength: hasTree ? min(promptLength, length) : min(1, length),
            neighbors: settings.neighbors)
        // Chain and tree differ after the prompt too: the tree goes on to the end.
        if settings.transition == .child { graph.tail = length - graph.vertexCount }
        return length == 0 ? nil : graph
    }
}

/// How the tree beside the chain is built and weighed.
public struct TreeSettings: Codable, Equatable, Sendable {
    /// The weight of the tree's state, finite; at 0 the model is plain Mamba.
    public var scale: Float
    /// How far apart two joined tokens of the prompt may be, at least 1.
    public var neighbors: Int
    /// Which token's decay weighs an edge.
    public var transition: EdgeTransition
    /// The weight of the chain's state; finite.
    public var chainGain: Float

    /// Groups the settings; the defaults are the released ones.
    public init(
        scale: Float = 0.3, neighbors: Int = 3, transition: EdgeTransition = .successor,
        chainGain: Float = 1
    ) {
        self.scale = scale
        self.neighbors = neighbors
        self.transition = transition
        self.chainGain = chainGain
    }

    /// Throws the first error of a value from outside.
    ///
    /// - Throws: ``TreeSettingsError``.
    public func validate() throws(TreeSettingsError) {
        for (setting, value) in [("tree_scale", scale), ("chain_gain", chainGain)]
        where !value.isFinite {
            throw TreeSettingsError.value(
                setting: setting, found: "\(value)", expected: "a finite number")
        }
        guard neighbors >= 1 else {
            throw TreeSettingsError.value(
                setting: "tree_neighbors", found: "\(neighbors)", expected: "at least 1")
        }
    }
}

/// The ways settings from outside can be wrong.
public enum TreeSettingsError: Error, Equatable {
    /// A setting, by its name in files, is out of range.
    case value(setting: String, found: String, expected: String)
}

extension TreeSettingsError: CustomStringConvertible {
    /// One line that names the setting.
    public var description: String {
        switch self {
        case .value(let setting, let found, let expected):
            "setting '\(setting)' is \(found), expected \(expected)"
        }
    }
}
