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
        precondition((try? settings.validate()) != nil, "invalid settings: \(settings)")
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

    /// The chains and trees of a batch.
    ///
    /// The prompt of a sequence that continues from a state has a tree of its own tokens. What came before
    /// reaches them along the chain, into which the state enters.
    public func sequences(
        of batch: TokenBatch, operands: SelectiveScan.Inputs, engine: any Engine
    ) -> [SelectiveScan.Sequence] {
        sequences(
            rows: batch.rows, promptLengths: batch.sequences.map(\.promptLength),
            operands: operands, engine: engine)
    }

    /// The same, of operands without a batch of tokens.
    ///
    /// - Parameters:
    ///   - rows: Where each sequence lies in the operands.
    ///   - promptLengths: How many of its first tokens are the prompt; more than there are mean all.
    ///   - operands: The layer's operands; their `sequences` are not read.
    ///   - engine: Finds the trees.
    /// - Returns: One description a sequence, in order.
    public func sequences(
        rows: [Range<Int>], promptLengths: [Int], operands: SelectiveScan.Inputs,
        engine: any Engine
    ) -> [SelectiveScan.Sequence] {
        precondition(rows.count == promptLengths.count, "\(promptLengths.count) prompts")
        let trees = engine.spanningTrees(
            operands, rows: rows,
            graphs: zip(rows, promptLengths).map { graph(length: $0.count, promptLength: $1) },
            transition: settings.transition)
        return zip(rows, trees).map { rows, tree in
            SelectiveScan.Sequence(
                rows: rows, chainGain: settings.chainGain, treeGain: settings.scale, tree: tree)
        }
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
