import Kernels
import TreeSSMText

/// The selective scan along the chain and along the tree, and the search for the tree.
struct Scans {
    let engine: any Engine
    let shape: ModelShape

    /// Half of the tokens are the prompt, as in Alpaca records.
    func operations(tokens: Int) -> [Operation] {
        let isTree = [false, true]
        return isTree.map { forward(tokens, tree: $0) } + isTree.map { backward(tokens, tree: $0) }
            + [cosines(tokens), spanningTree(tokens)]
    }

    private func inputs(_ tokens: Int, tree: Bool) -> SelectiveScan.Inputs {
        let projections = Tensor.random([tokens, shape.projections], 3)
        let (rank, state) = (shape.stepRank, shape.state)
        let delta = Tensor.random([tokens, shape.inner], 2)
        // Steps are positive, from 0 to 0.1.
        delta.values = delta.values.map { 0.05 * (1 + $0) }
        var A = [Float](repeating: 0, count: shape.inner * state)
        for index in A.indices { A[index] = -Float(index % state + 1) }
        var inputs = SelectiveScan.Inputs(
            u: .random([tokens, shape.inner], 1), delta: delta,
            A: Tensor(A, shape: [shape.inner, state]),
            B: projections.columns(rank..<rank + state),
            C: projections.columns(rank + state..<rank + 2 * state),
            D: .random([shape.inner], 4), sequences: [.init(rows: 0..<tokens)])
        if tree {
            inputs.sequences = TreeFlow().sequences(
                rows: [0..<tokens], promptLengths: [tokens / 2], operands: inputs, engine: engine)
        }
        return inputs
    }

    private func work(_ tokens: Int, tree: Bool, instructions: Double, floats: Double) -> Work {
        let states = Double(shape.inner * shape.state)
        let scanned = Double(tokens) * (tree ? 1.5 : 1)
        let moved = Double(shape.inner) * floats + Double(2 * shape.state)
        return Work(
            flops: 2 * scanned * states * instructions, bytes: 4 * Double(tokens) * moved)
    }

    private func forward(_ tokens: Int, tree: Bool) -> Operation {
        Operation(
            name: tree ? "scan, chain and tree" : "scan, chain", group: "Scan",
            work: work(tokens, tree: tree, instructions: Instructions.scanForward, floats: 3),
            formula: "14 vector instructions a token, channel and state, of which 11 make the "
                + "exponential; twice for tokens of the tree; 4·T·(3·inner + 2·state) bytes"
        ) { [engine] in
            let inputs = inputs(tokens, tree: tree)
            let y = Tensor(shape: [tokens, shape.inner])
            return { engine.scan(inputs, into: y) }
        }
    }

    private func backward(_ tokens: Int, tree: Bool) -> Operation {
        Operation(
            name: tree ? "scan, chain and tree, gradient" : "scan, chain, gradient", group: "Scan",
            work: work(tokens, tree: tree, instructions: Instructions.scanBackward, floats: 5),
            formula: "21 vector instructions a token, channel and state; twice for tokens of the "
                + "tree; 4·T·(5·inner + 2·state) bytes"
        ) { [engine] in
            let inputs = inputs(tokens, tree: tree)
            let gradY = Tensor.random([tokens, shape.inner], 5)
            let gradients = SelectiveScan.Gradients(
                u: Tensor(shape: [tokens, shape.inner]),
                delta: Tensor(shape: [tokens, shape.inner]),
                B: Tensor(shape: [tokens, shape.state]), C: Tensor(shape: [tokens, shape.state]))
            return { engine.scanBackward(inputs, gradY: gradY, into: gradients) }
        }
    }

    private func cosines(_ tokens: Int) -> Operation {
        let elements = Double(tokens) * Double(shape.inner)
        return Operation(
            name: "cosines of 3 neighbours", group: "Tree",
            work: Work(flops: 2 * 5 * elements, bytes: 8 * elements),
            formula: "5·T·inner vector instructions; 8·T·inner bytes"
        ) { [engine] in
            let inputs = inputs(tokens, tree: false)
            let edges = NeighborGraph(promptLength: tokens, neighbors: 3).edges
                .map { ($0.a, $0.b) }
            return { _ = engine.stateInputCosines(inputs, edges: edges) }
        }
    }

    private func spanningTree(_ tokens: Int) -> Operation {
        Operation(
            name: "spanning tree and order", group: "Tree", work: nil, formula: ""
        ) { [engine] in
            let inputs = inputs(tokens, tree: false)
            let graph = NeighborGraph(promptLength: tokens, neighbors: 3)
            let weights = engine.stateInputCosines(inputs, edges: graph.edges.map { ($0.a, $0.b) })
                .map(SpanningTree.weight(cosine:))
            return {
                let chosen = SpanningTree(graph, weights: weights).edges
                let edges = chosen.map { graph.edges[Int($0)] }
                let tree = try? TreeTopology(
                    edges: edges, vertexCount: tokens, root: Int32(tokens - 1))
                _ = tree?.scanTree(.successor)
            }
        }
    }
}
