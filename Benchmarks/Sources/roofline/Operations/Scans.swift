import Kernels
import Tensors
import TreeSSMText
import TreeTopology

/// The selective scan along the chain and along the tree, and the search for the tree.
struct Scans {
    let engine: CPUEngine
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
        let step = Tensor.random([tokens, shape.inner], 2)
        // After softplus from 0.007 to 0.05.
        step.values = step.values.map { $0 - 4 }
        var A = [Float](repeating: 0, count: state * shape.inner)
        for index in A.indices { A[index] = -Float(index / shape.inner + 1) }
        let z = Tensor.random([tokens, 2 * shape.inner], 6).columns(shape.inner..<2 * shape.inner)
        var inputs = SelectiveScan.Inputs(
            u: .random([tokens, shape.inner], 1), step: step, z: z,
            A: Tensor(A, shape: [state, shape.inner]),
            B: projections.columns(rank..<rank + state),
            C: projections.columns(rank + state..<rank + 2 * state),
            D: .random([shape.inner], 4), layout: BatchLayout([.init(length: tokens)]))
        if tree {
            inputs.layout = TreeFlow().layout(lengths: [tokens], promptLengths: [tokens / 2])
            inputs.trees = engine.spanningTrees(inputs)
        }
        return inputs
    }

    private func work(_ tokens: Int, tree: Bool, instructions: Double, floats: Double) -> Work {
        let (inner, state) = (Double(shape.inner), Double(shape.state))
        let states = inner * state * instructions * (tree ? 1.5 : 1)
        let moved = inner * floats + 2 * state
        return Work(
            flops: 2 * Double(tokens) * (states + inner * Instructions.scanActivations),
            bytes: 4 * Double(tokens) * moved)
    }

    private func forward(_ tokens: Int, tree: Bool) -> Operation {
        Operation(
            name: tree ? "scan, chain and tree" : "scan, chain", group: "Scan",
            work: work(tokens, tree: tree, instructions: Instructions.scanForward, floats: 4),
            formula: "11 vector instructions a token, channel and state, of which 8 make the "
                + "exponential; twice for tokens of the tree; 52 a channel for softplus and gate; "
                + "4·T·(4·inner + 2·state) bytes"
        ) { [engine] in
            let inputs = inputs(tokens, tree: tree)
            let result = Tensor(shape: [tokens, shape.inner])
            return { engine.scan(inputs, into: result) }
        }
    }

    private func backward(_ tokens: Int, tree: Bool) -> Operation {
        Operation(
            name: tree ? "scan, chain and tree, gradient" : "scan, chain, gradient", group: "Scan",
            work: work(tokens, tree: tree, instructions: Instructions.scanBackward, floats: 8),
            formula: "19 vector instructions a token, channel and state; twice for tokens of the "
                + "tree; 52 a channel for softplus and gate; 4·T·(8·inner + 2·state) bytes"
        ) { [engine] in
            let inputs = inputs(tokens, tree: tree)
            let gradResult = Tensor.random([tokens, shape.inner], 5)
            func wide() -> Tensor { Tensor(shape: [tokens, shape.inner]) }
            let gradients = SelectiveScan.Gradients(
                u: wide(), step: wide(), z: wide(), gated: wide(),
                B: Tensor(shape: [tokens, shape.state]), C: Tensor(shape: [tokens, shape.state]))
            return { engine.scanBackward(inputs, gradResult: gradResult, into: gradients) }
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
                let tree = SpanningTree(graph, weights: weights)
                _ = try? RootedTree(tree, of: graph, root: Int32(tokens - 1))
            }
        }
    }
}
