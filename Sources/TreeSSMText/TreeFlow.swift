import Kernels
import MambaLM

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
    ///   - engine: For the cosines.
    /// - Returns: One description a sequence, in order.
    public func sequences(
        rows: [Range<Int>], promptLengths: [Int], operands: SelectiveScan.Inputs,
        engine: any Engine
    ) -> [SelectiveScan.Sequence] {
        precondition(rows.count == promptLengths.count, "\(promptLengths.count) prompts")
        let graphs = zip(rows, promptLengths).map { rows, promptLength in
            // Of two tokens or less, the tree is the chain.
            promptLength <= 2 || rows.count <= 2
                ? nil
                : NeighborGraph(
                    promptLength: min(promptLength, rows.count), neighbors: settings.neighbors)
        }
        let edges = zip(rows, graphs).flatMap { rows, graph in
            (graph?.edges ?? []).map {
                ($0.a + Int32(rows.lowerBound), $0.b + Int32(rows.lowerBound))
            }
        }
        let weights = engine.stateInputCosines(operands, edges: edges)
            .map(SpanningTree.weight(cosine:))
        var used = 0
        return zip(rows, graphs).map { rows, graph in
            var tree: [NeighborGraph.Edge] = []
            if let graph {
                let end = used + graph.edges.count
                tree = SpanningTree(graph, weights: Array(weights[used..<end])).edges.map {
                    graph.edges[Int($0)]
                }
                used = end
            }
            return SelectiveScan.Sequence(
                rows: rows, chainGain: settings.chainGain, treeGain: settings.scale,
                tree: scanTree(tree, length: rows.count))
        }
    }

    /// The tree of one sequence, from the edges over its prompt.
    private func scanTree(_ prompt: [NeighborGraph.Edge], length: Int) -> ScanTree? {
        var edges = prompt
        if settings.transition == .child {
            // Chain and tree differ after the prompt too: the tree goes on to the end.
            edges += (edges.count + 1..<max(length, 1)).map {
                NeighborGraph.Edge(Int32($0), Int32($0 - 1))
            }
        }
        guard length > 0, !edges.isEmpty || settings.transition == .child else { return nil }
        let count = edges.count + 1
        // A window graph is connected, so its spanning tree hangs together.
        return (try? TreeTopology(edges: edges, vertexCount: count, root: Int32(count - 1)))?
            .scanTree(settings.transition)
    }
}
