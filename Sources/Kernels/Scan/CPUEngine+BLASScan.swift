import CKernels
import COpenBLAS

/// The BLAS form: a token's state is a matrix `[inner, state]`, a new input a rank-one update of it.
///
/// It is the form that the fused kernels are measured and tested against. Forward, it keeps the
/// states of a tree's tokens, and backward all states of one sequence: `length * inner * state`
/// floats, twice where there is a tree.
extension CPUEngine {
    func blasScan(_ x: SelectiveScan.Inputs, into y: Tensor) {
        pool.run(x.sequences.count) { index, worker in
            var scan = BLASScan(x, x.sequences[index], isa: isa)
            let working = scratch(worker: worker, floats: scan.forwardFloats)
            scan.forward(into: y.rows(x.sequences[index].rows), working: working)
        }
    }

    func blasScanBackward(
        _ x: SelectiveScan.Inputs, gradY: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        func walk(_ sequence: SelectiveScan.Sequence, _ worker: Int) {
            var scan = BLASScan(x, sequence, isa: isa)
            let working = scratch(worker: worker, floats: scan.backwardFloats)
            scan.backward(
                gradY: gradY.rows(sequence.rows), into: gradients.rows(sequence.rows),
                working: working)
        }
        if gradients.A == nil && gradients.D == nil {
            pool.run(x.sequences.count) { index, worker in walk(x.sequences[index], worker) }
        } else {
            for sequence in x.sequences { walk(sequence, 0) }
        }
    }
}

extension SelectiveScan.Gradients {
    fileprivate func rows(_ range: Range<Int>) -> SelectiveScan.Gradients {
        SelectiveScan.Gradients(
            u: u.rows(range), delta: delta.rows(range), B: B.rows(range), C: C.rows(range), A: A,
            D: D)
    }
}

private typealias Floats = UnsafeMutablePointer<Float>

/// One sequence's operands and the few operations on states that both passes are made of.
private struct BLASScan {
    let u, delta, B, C, A, D: Tensor
    let sequence: SelectiveScan.Sequence
    let isa: mtl_isa
    let inner, state, length, treeLength: Int
    /// The number of floats in a state.
    let size: Int

    init(_ x: SelectiveScan.Inputs, _ sequence: SelectiveScan.Sequence, isa: mtl_isa) {
        (u, delta) = (x.u.rows(sequence.rows), x.delta.rows(sequence.rows))
        (B, C) = (x.B.rows(sequence.rows), x.C.rows(sequence.rows))
        (A, D, self.sequence, self.isa) = (x.A, x.D, sequence, isa)
        (inner, state, length) = (x.inner, x.state, sequence.rows.count)
        treeLength = sequence.tree?.count ?? 0
        size = x.inner * x.state
    }

    /// A state, a decay, the products `delta * u`; the tree's states.
    var forwardFloats: Int { (2 + treeLength) * size + inner }

    /// A chain's states with the one before it, a tree's, three gradients by states and a decay,
    /// the products `delta * u` and two rows.
    var backwardFloats: Int { (length + 1 + treeLength * 2 + 3) * size + 3 * inner }

    private func row(_ x: Tensor, _ t: Int) -> Floats { x.base + t * x.rowStride }

    /// The gain of the chain's input at a token.
    func gain(_ t: Int) -> Float {
        t < treeLength ? sequence.chainGain : sequence.chainGain + sequence.treeGain
    }

    func setDecay(_ decay: Floats, _ t: Int) {
        mtl_scan_decay(isa, row(delta, t), A.matrix(), inner, state, decay)
    }

    func setInput(_ input: Floats, _ t: Int) {
        let (u, delta) = (row(u, t), row(delta, t))
        for d in 0..<inner { input[d] = delta[d] * u[d] }
    }

    /// `target += gain * left rightᵀ`.
    func addProduct(_ gain: Float, _ left: Floats, _ right: Floats, to target: Floats) {
        cblas_sger(
            CblasRowMajor, blasint(inner), blasint(state), gain, left, 1, right, 1, target,
            blasint(state))
    }

    /// `result = state · vector + keep * result`, of `inner` numbers.
    func readOut(_ h: Floats, _ vector: Floats, keep: Float, into result: Floats) {
        cblas_sgemv(
            CblasRowMajor, CblasNoTrans, blasint(inner), blasint(state), 1, h, blasint(state),
            vector, 1, keep, result, 1)
    }

    /// `result += stateᵀ · vector`, of `state` numbers.
    func readAcross(_ h: Floats, _ vector: Floats, into result: Floats) {
        cblas_sgemv(
            CblasRowMajor, CblasTrans, blasint(inner), blasint(state), 1, h, blasint(state), vector,
            1, 1, result, 1)
    }

    func start(_ h: Floats) {
        if let initial = sequence.initialState {
            for d in 0..<inner { (h + d * state).update(from: row(initial, d), count: state) }
        } else {
            h.update(repeating: 0, count: size)
        }
    }

    /// The tree's states by vertex, `[treeLength, inner, state]`.
    func setTreeStates(_ states: Floats, decay: Floats, input: Floats) {
        guard let tree = sequence.tree else { return }
        states.update(repeating: 0, count: treeLength * size)
        for vertex in tree.order.lazy.map({ Int($0) }) {
            let h = states + vertex * size
            setInput(input, vertex)
            addProduct(sequence.treeGain, input, row(B, vertex), to: h)
            guard tree.parent[vertex] >= 0 else { continue }
            let above = states + Int(tree.parent[vertex]) * size
            setDecay(decay, Int(tree.transition[vertex]))
            for i in 0..<size { above[i] += decay[i] * h[i] }
        }
    }

    mutating func forward(into y: Tensor, working: Floats) {
        let (h, decay, tree) = (working, working + size, working + 2 * size)
        let input = tree + treeLength * size
        setTreeStates(tree, decay: decay, input: input)
        start(h)
        for t in 0..<length {
            setDecay(decay, t)
            for i in 0..<size { h[i] *= decay[i] }
            setInput(input, t)
            addProduct(gain(t), input, row(B, t), to: h)
            let (u, result) = (row(u, t), row(y, t))
            for d in 0..<inner { result[d] = D.base[d] * u[d] }
            readOut(h, row(C, t), keep: 1, into: result)
            if t < treeLength { readOut(tree + t * size, row(C, t), keep: 1, into: result) }
            if t == treeLength - 1 {
                let root = tree + t * size
                for i in 0..<size { h[i] += root[i] }
            }
        }
        if let final = sequence.finalState {
            for d in 0..<inner { row(final, d).update(from: h + d * state, count: state) }
        }
    }

    mutating func backward(
        gradY: Tensor, into gradients: SelectiveScan.Gradients, working: Floats
    ) {
        // chain[0] is the state before the sequence, chain[t + 1] the one at token t.
        let (chain, tree) = (working, working + (length + 1) * size)
        let gradTree = tree + treeLength * size
        let gradChain = gradTree + treeLength * size
        let (decay, gradX) = (gradChain + size, gradChain + 2 * size)
        let input = gradX + size
        let gradInput = input + inner

        setTreeStates(tree, decay: decay, input: input)
        start(chain)
        for t in 0..<length {
            let (before, h) = (chain + t * size, chain + (t + 1) * size)
            setDecay(decay, t)
            for i in 0..<size { h[i] = decay[i] * before[i] }
            if t == treeLength, t > 0 {
                let root = tree + (t - 1) * size
                for i in 0..<size { h[i] += decay[i] * root[i] }
            }
            setInput(input, t)
            addProduct(gain(t), input, row(B, t), to: h)
        }

        gradients.delta.fill(0)
        gradients.B.fill(0)
        gradients.C.fill(0)
        gradChain.update(repeating: 0, count: size)
        for t in stride(from: length - 1, through: 0, by: -1) {
            let (gradRow, isTree) = (row(gradY, t), t < treeLength)
            addProduct(1, gradRow, row(C, t), to: gradChain)
            readAcross(chain + (t + 1) * size, gradRow, into: row(gradients.C, t))
            if t == treeLength - 1 {
                setTreeGradients(
                    gradTree, states: tree, root: gradChain, gradY: gradY, decay: decay,
                    gradients: gradients)
            }
            for i in 0..<size { gradX[i] = gain(t) * gradChain[i] }
            if isTree {
                readAcross(tree + t * size, gradRow, into: row(gradients.C, t))
                let gradTree = gradTree + t * size
                for i in 0..<size { gradX[i] += sequence.treeGain * gradTree[i] }
            }
            setInput(input, t)
            readAcross(gradX, input, into: row(gradients.B, t))
            readOut(gradX, row(B, t), keep: 0, into: gradInput)
            let (u, delta) = (row(u, t), row(delta, t))
            let (gradU, gradDelta) = (row(gradients.u, t), row(gradients.delta, t))
            for d in 0..<inner {
                gradU[d] = gradInput[d] * delta[d] + D.base[d] * gradRow[d]
                gradDelta[d] += gradInput[d] * u[d]
                if let gradD = gradients.D { gradD.base[d] += gradRow[d] * u[d] }
            }

            setDecay(decay, t)
            for i in 0..<size { gradChain[i] *= decay[i] }
            addExponents(gradChain, times: chain + t * size, at: t, to: gradients)
            if t == treeLength, t > 0 {
                addExponents(gradChain, times: tree + (t - 1) * size, at: t, to: gradients)
            }
        }
    }

    /// The gradients by the tree's states, from the root, whose own is given, to the leaves.
    private func setTreeGradients(
        _ gradTree: Floats, states: Floats, root: Floats, gradY: Tensor, decay: Floats,
        gradients: SelectiveScan.Gradients
    ) {
        guard let tree = sequence.tree else { return }
        for vertex in tree.order.reversed().lazy.map({ Int($0) }) {
            let grad = gradTree + vertex * size
            guard tree.parent[vertex] >= 0 else {
                grad.update(from: root, count: size)
                continue
            }
            let transition = Int(tree.transition[vertex])
            let above = gradTree + Int(tree.parent[vertex]) * size
            setDecay(decay, transition)
            for i in 0..<size { grad[i] = decay[i] * above[i] }
            addExponents(grad, times: states + vertex * size, at: transition, to: gradients)
            addProduct(1, row(gradY, vertex), row(C, vertex), to: grad)
        }
    }

    /// Adds what a decay's gradient means for `delta` and `A`.
    ///
    /// - Parameters:
    ///   - passed: The gradient by the state after the decay, times the decay.
    ///   - h: The state before it.
    ///   - t: The token whose decay it is.
    ///   - gradients: Those of `delta` and `A` are added to.
    private func addExponents(
        _ passed: Floats, times h: Floats, at t: Int, to gradients: SelectiveScan.Gradients
    ) {
        let (delta, gradDelta) = (row(delta, t), row(gradients.delta, t))
        for d in 0..<inner {
            let (A, gradA) = (row(A, d), gradients.A.map { row($0, d) })
            var slope: Float = 0
            for n in 0..<state {
                let exponent = passed[d * state + n] * h[d * state + n]
                slope += exponent * A[n]
                gradA?[n] += exponent * delta[d]
            }
            gradDelta[d] += slope
        }
    }
}
