import Glibc
import Tensors

/// The selective scan and its gradients in `Double`, in time proportional to the tokens.
///
/// ``SelectiveScanReference`` follows the definition more closely, every token to each of its
/// ancestors, and takes minutes for some hundred tokens. This one runs up the tree and down again, so
/// it can judge long scans; `LongScanTests` hold it against the other on short ones.
struct LongScanReference {
    /// The gated result and the gradients, in the layouts of the operands.
    struct Gradients {
        var result, u, step, z, B, C, A, D: [Double]
    }

    private let x: SelectiveScan.Inputs
    private let operands: SelectiveScanReference
    private let step: [Double]
    private let inner, state: Int

    init(_ x: SelectiveScan.Inputs) {
        self.x = x
        operands = SelectiveScanReference(x)
        step = x.step.values.map(Double.init)
        (inner, state) = (operands.inner, operands.state)
    }

    /// The result, and the gradients of its product with `gradResult`, `[tokens, inner]`.
    func run(gradResult: [Double]) -> Gradients {
        let (u, delta, C) = (operands.u, operands.delta, operands.C)
        // y first, since the gate's gradient needs it.
        var y = u.indices.map { operands.D[$0 % inner] * u[$0] }
        forEachChannel { sequence, d, n in
            for (t, h) in zip(sequence.rows, states(sequence, d, n).joined) {
                y[t * inner + d] += C[t * state + n] * h
            }
        }
        let gate = operands.z.map { $0.map { 1 / (1 + exp(-$0)) } }
        let z = operands.z ?? []
        let gradY = gradResult.indices.map { i in
            gradResult[i] * (gate.map { z[i] * $0[i] } ?? 1)
        }
        var gradients = Gradients(
            result: y.indices.map { i in y[i] * (gate.map { z[i] * $0[i] } ?? 1) },
            u: u.indices.map { gradY[$0] * operands.D[$0 % inner] },
            step: [Double](repeating: 0, count: u.count),
            z: z.indices.map { i in
                let s = gate?[i] ?? 0
                return gradResult[i] * y[i] * (s + z[i] * s * (1 - s))
            },
            B: [Double](repeating: 0, count: operands.B.count),
            C: [Double](repeating: 0, count: C.count),
            A: [Double](repeating: 0, count: operands.A.count),
            D: [Double](repeating: 0, count: inner))
        for i in u.indices { gradients.D[i % inner] += gradY[i] * u[i] }
        forEachChannel { sequence, d, n in
            let states = states(sequence, d, n)
            let (gradX, gradDecay) = operandGradients(sequence, d, n, states, gradY)
            let A = operands.A[n * inner + d]
            for (position, t) in sequence.rows.enumerated() {
                let (i, k) = (t * inner + d, t * state + n)
                gradients.C[k] += gradY[i] * states.joined[position]
                gradients.B[k] += gradX[position] * delta[i] * u[i]
                gradients.u[i] += gradX[position] * delta[i] * operands.B[k]
                let slope = gradDecay[position] * operands.decay(t, d, n)
                gradients.A[n * inner + d] += slope * delta[i]
                let gradDelta = slope * A + gradX[position] * u[i] * operands.B[k]
                gradients.step[i] += gradDelta / (1 + exp(-step[i]))
            }
        }
        return gradients
    }

    private func forEachChannel(_ body: (SelectiveScan.Sequence, Int, Int) -> Void) {
        for sequence in x.sequences {
            for d in 0..<inner {
                for n in 0..<state { body(sequence, d, n) }
            }
        }
    }

    /// The states of one channel at every token: of the chain with its gain, of the tree without, and
    /// both joined.
    private func states(
        _ sequence: SelectiveScan.Sequence, _ d: Int, _ n: Int
    ) -> (initial: Double, chain: [Double], tree: [Double], joined: [Double]) {
        let (first, count) = (sequence.rows.lowerBound, sequence.rows.count)
        let (chainGain, treeGain) = (Double(sequence.chainGain), Double(sequence.treeGain))
        let initial = Double(sequence.initialState?.values[n * inner + d] ?? 0)
        let vertices = sequence.tree?.count ?? 0
        var (chain, joined) = ([Double](), [Double]())
        var tree = (0..<vertices).map { operands.input(first + $0, d, n) }
        if let links = sequence.tree?.tree {
            for vertex in links.order.map(Int.init) where links.parent[vertex] >= 0 {
                let decay = operands.decay(first + Int(links.transition[vertex]), d, n)
                tree[Int(links.parent[vertex])] += decay * tree[vertex]
            }
        }
        let root = sequence.tree.map { Int($0.tree.root) } ?? 0
        for position in 0..<count {
            let (decay, input) = (
                operands.decay(first + position, d, n), operands.input(first + position, d, n)
            )
            if position < vertices {
                chain.append(decay * (chain.last ?? initial) + chainGain * input)
                joined.append(chain[position] + treeGain * tree[position])
            } else {
                let before =
                    position == vertices && vertices > 0
                    ? chain[vertices - 1] + treeGain * tree[root] : joined.last ?? initial
                joined.append(decay * before + (chainGain + treeGain) * input)
            }
        }
        return (initial, chain, tree, joined)
    }

    /// The gradients of one channel by `X[t]` and by `decay[t]`, by position.
    private func operandGradients(
        _ sequence: SelectiveScan.Sequence, _ d: Int, _ n: Int,
        _ states: (initial: Double, chain: [Double], tree: [Double], joined: [Double]),
        _ gradY: [Double]
    ) -> (X: [Double], decay: [Double]) {
        let (first, count) = (sequence.rows.lowerBound, sequence.rows.count)
        let (chainGain, treeGain) = (Double(sequence.chainGain), Double(sequence.treeGain))
        let vertices = states.tree.count
        func decay(_ position: Int) -> Double { operands.decay(first + position, d, n) }
        // By the joined state; after the tree also by way of the later ones.
        var joined = sequence.rows.map { gradY[$0 * inner + d] * operands.C[$0 * state + n] }
        var (gradX, gradDecay) = (joined.map { _ in 0.0 }, joined.map { _ in 0.0 })
        let links = sequence.tree?.tree
        let afterTree = links.map {
            states.chain[vertices - 1] + treeGain * states.tree[Int($0.root)]
        }
        // By the state after the tree.
        var carried = 0.0
        for position in (vertices..<count).reversed() {
            gradX[position] = (chainGain + treeGain) * joined[position]
            let before = position > vertices ? states.joined[position - 1] : afterTree
            gradDecay[position] = joined[position] * (before ?? states.initial)
            let passed = decay(position) * joined[position]
            if position > vertices { joined[position - 1] += passed } else { carried = passed }
        }
        guard let links else { return (gradX, gradDecay) }
        var later = carried
        for position in (0..<vertices).reversed() {
            later += joined[position]
            gradX[position] += chainGain * later
            gradDecay[position] +=
                later * (position > 0 ? states.chain[position - 1] : states.initial)
            later *= decay(position)
        }
        var tree = (0..<vertices).map { treeGain * joined[$0] }
        tree[Int(links.root)] += treeGain * carried
        for vertex in links.order.reversed().map(Int.init) {
            let parent = Int(links.parent[vertex])
            if parent >= 0 {
                let transition = Int(links.transition[vertex])
                gradDecay[transition] += tree[parent] * states.tree[vertex]
                tree[vertex] += decay(transition) * tree[parent]
            }
            gradX[vertex] += tree[vertex]
        }
        return (gradX, gradDecay)
    }
}
