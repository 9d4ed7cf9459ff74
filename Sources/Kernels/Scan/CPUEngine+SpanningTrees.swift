import Tensors
import TreeTopology

extension CPUEngine {
    /// Finds the trees one after the other, from the cosines of all edges at once.
    public func spanningTrees(
        _ x: SelectiveScan.Inputs, rows: [Range<Int>], graphs: [NeighborGraph?],
        transition: EdgeTransition
    ) -> [ScanTree?] {
        precondition(rows.count == graphs.count, "\(graphs.count) graphs, \(rows.count) sequences")
        let edges = zip(rows, graphs).flatMap { rows, graph in
            (graph?.edges ?? []).map {
                ($0.a + Int32(rows.lowerBound), $0.b + Int32(rows.lowerBound))
            }
        }
        let weights = stateInputCosines(x, edges: edges).map(SpanningTree.weight(cosine:))
        var used = 0
        return graphs.map { graph in
            guard let graph else { return nil }
            let end = used + graph.edges.count
            let tree = SpanningTree(graph, weights: Array(weights[used..<end]))
            used = end
            return ScanTree(rooted(tree, of: graph, transition))
        }
    }

    private func rooted(
        _ tree: SpanningTree, of graph: NeighborGraph, _ transition: EdgeTransition
    ) -> RootedTree {
        do {
            return try RootedTree(
                tree, of: graph, root: Int32(graph.vertexCount + graph.tail - 1),
                transition: transition)
        } catch {
            preconditionFailure("a graph is not connected: \(error)")
        }
    }
}
