import CKernels
import Tensors
import TreeTopology

/// The BLAS form: a token's state is a matrix `[state, inner]`, a new input a rank-one update of it.
///
/// It is the form that the fused kernels are measured and tested against. Forward, it keeps the
/// states of a tree's tokens, and backward all states of one sequence: `length * state * inner`
/// floats, twice where there is a tree.
extension CPUEngine {
    func blasScan(_ x: SelectiveScan.Inputs, into result: Tensor) {
        pool.run(x.layout.rows.count) { index, worker in
            let scan = BLASScan(x, index, engine: self)
            let working = scratch(worker: worker, floats: scan.forwardFloats)
            scan.forward(into: result.rows(x.layout.rows[index]), working: working)
        }
    }

    func blasScanBackward(
        _ x: SelectiveScan.Inputs, gradResult: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        func walk(_ index: Int, _ worker: Int) {
            let (scan, rows) = (BLASScan(x, index, engine: self), x.layout.rows[index])
            let working = scratch(worker: worker, floats: scan.backwardFloats)
            scan.backward(
                gradResult: gradResult.rows(rows), into: gradients.rows(rows), working: working)
        }
        if gradients.A == nil && gradients.D == nil {
            pool.run(x.layout.rows.count) { index, worker in walk(index, worker) }
        } else {
            for index in x.layout.rows.indices { walk(index, 0) }
        }
    }
}

extension SelectiveScan.Gradients {
    fileprivate func rows(_ range: Range<Int>) -> SelectiveScan.Gradients {
        SelectiveScan.Gradients(
            u: u.rows(range), step: step.rows(range), z: z?.rows(range), gated: gated?.rows(range),
            B: B.rows(range), C: C.rows(range), A: A, D: D)
    }
}

/// One sequence's operands and the operations on states that both passes are made of.
struct BLASScan {
    typealias Floats = UnsafeMutablePointer<Float>

    let u, step, B, C, A, D: Tensor
    let z: Tensor?
    let chainGain, treeGain: Float
    let tree: RootedTree?
    let initialState, finalState: Tensor?
    let inner, state, length, treeLength: Int
    /// The number of floats in a state.
    let size: Int
    private let isa: mtl_isa
    private let blas: OpenBLAS

    init(_ x: SelectiveScan.Inputs, _ index: Int, engine: CPUEngine) {
        let (sequence, rows) = (x.layout.sequences[index], x.layout.rows[index])
        u = x.u.rows(rows)
        step = x.step.rows(rows)
        B = x.B.rows(rows)
        C = x.C.rows(rows)
        z = x.z?.rows(rows)
        A = x.A
        D = x.D
        chainGain = sequence.chainGain
        treeGain = sequence.treeGain
        tree = x.tree(of: index)?.tree
        initialState = x.initialState(of: index)
        finalState = x.finalState(of: index)
        isa = engine.isa
        blas = engine.blas
        inner = x.inner
        state = x.state
        length = rows.count
        treeLength = tree?.parent.count ?? 0
        size = x.inner * x.state
    }

    /// The tree's root, whose state joins the chain's.
    var root: Int { tree.map { Int($0.root) } ?? 0 }

    /// All of `delta`, a row; a state, a decay, the tree's states.
    var forwardFloats: Int { (length + 1) * inner + (2 + treeLength) * size }

    func row(_ x: Tensor, _ t: Int) -> Floats { x.base + t * x.rowStride }

    /// The gain of the chain's input at a token.
    func gain(_ t: Int) -> Float {
        t < treeLength ? chainGain : chainGain + treeGain
    }

    /// `y = function(x)`, of `inner` numbers.
    func apply(_ function: mtl_function, _ x: Floats, into y: Floats) {
        mtl_apply(isa, function, x, y, inner)
    }

    /// `delta[t] = log(1 + exp(step[t]))` for all tokens.
    func setDelta(_ delta: Floats) {
        for t in 0..<length { apply(MTL_SOFTPLUS, row(step, t), into: delta + t * inner) }
    }

    /// `decay = exp(delta * A)`, given a token's `delta`.
    func setDecay(_ decay: Floats, delta: Floats) {
        for n in 0..<state {
            let (target, A) = (decay + n * inner, row(A, n))
            for d in 0..<inner { target[d] = delta[d] * A[d] }
        }
        mtl_apply(isa, MTL_EXP, decay, decay, size)
    }

    /// `result = left * right`, of `inner` numbers.
    func multiply(_ left: Floats, _ right: Floats, into result: Floats) {
        for d in 0..<inner { result[d] = left[d] * right[d] }
    }

    /// `target += gain * left rightᵀ`, of `state` and of `inner` numbers.
    func addProduct(_ gain: Float, _ left: Floats, _ right: Floats, to target: Floats) {
        blas.ger(
            OpenBLAS.rowMajor, Int32(state), Int32(inner), gain, left, 1, right, 1, target,
            Int32(inner))
    }

    /// `result = stateᵀ · vector + keep * result`, of `inner` numbers.
    func readOut(_ h: Floats, _ vector: Floats, keep: Float, into result: Floats) {
        blas.gemv(
            OpenBLAS.rowMajor, OpenBLAS.transposed, Int32(state), Int32(inner), 1, h, Int32(inner),
            vector, 1, keep, result, 1)
    }

    /// `result += state · vector`, of `state` numbers.
    func readAcross(_ h: Floats, _ vector: Floats, into result: Floats) {
        blas.gemv(
            OpenBLAS.rowMajor, OpenBLAS.plain, Int32(state), Int32(inner), 1, h, Int32(inner),
            vector, 1, 1, result, 1)
    }

    func start(_ h: Floats) {
        if let initialState {
            for n in 0..<state { (h + n * inner).update(from: row(initialState, n), count: inner) }
        } else {
            h.update(repeating: 0, count: size)
        }
    }

    /// The tree's states by vertex, `[treeLength, state, inner]`.
    func setTreeStates(_ states: Floats, delta: Floats, decay: Floats, input: Floats) {
        guard let tree else { return }
        states.update(repeating: 0, count: treeLength * size)
        for vertex in tree.order.lazy.map({ Int($0) }) {
            let h = states + vertex * size
            multiply(delta + vertex * inner, row(u, vertex), into: input)
            addProduct(treeGain, row(B, vertex), input, to: h)
            guard tree.parent[vertex] >= 0 else { continue }
            let above = states + Int(tree.parent[vertex]) * size
            setDecay(decay, delta: delta + Int(tree.transition[vertex]) * inner)
            for i in 0..<size { above[i] += decay[i] * h[i] }
        }
    }

    func forward(into result: Tensor, working: Floats) {
        let (delta, input) = (working, working + length * inner)
        let (h, decay) = (input + inner, input + inner + size)
        let treeStates = decay + size
        setDelta(delta)
        setTreeStates(treeStates, delta: delta, decay: decay, input: input)
        start(h)
        for t in 0..<length {
            setDecay(decay, delta: delta + t * inner)
            for i in 0..<size { h[i] *= decay[i] }
            multiply(delta + t * inner, row(u, t), into: input)
            addProduct(gain(t), row(B, t), input, to: h)
            // `input` is read: the row holds y, then the gate.
            multiply(D.base, row(u, t), into: input)
            readOut(h, row(C, t), keep: 1, into: input)
            if t < treeLength { readOut(treeStates + t * size, row(C, t), keep: 1, into: input) }
            if t == treeLength - 1 {
                let root = treeStates + root * size
                for i in 0..<size { h[i] += root[i] }
            }
            if let z {
                // The decay is read as well, and at least as long as a row.
                apply(MTL_SILU, row(z, t), into: decay)
                multiply(input, decay, into: row(result, t))
            } else {
                row(result, t).update(from: input, count: inner)
            }
        }
        if let finalState {
            for n in 0..<state { row(finalState, n).update(from: h + n * inner, count: inner) }
        }
    }
}

extension BLASScan {
    /// Six matrices `[length, inner]` and two rows; a chain's states with the one before it, a tree's,
    /// the gradients by those and by the chain's, a decay and an input's gradient.
    var backwardFloats: Int {
        (6 * length + 2) * inner + (length + 1 + treeLength * 2 + 3) * size
    }

    /// Copies of the operands, which gradients may overwrite, and results before they are written.
    private struct Rows {
        let u, delta, y, gradY, gradU, gradDelta: Floats
        let inner: Int

        init(_ working: Floats, length: Int, inner: Int) {
            let size = length * inner
            u = working
            delta = working + size
            y = working + 2 * size
            gradY = working + 3 * size
            gradU = working + 4 * size
            gradDelta = working + 5 * size
            self.inner = inner
        }
    }

    func backward(
        gradResult: Tensor, into gradients: SelectiveScan.Gradients, working: Floats
    ) {
        let rows = Rows(working, length: length, inner: inner)
        let input = working + 6 * length * inner
        let gradInput = input + inner
        // chain[0] is the state before the sequence, chain[t + 1] the one at token t.
        let (chain, treeStates) = (gradInput + inner, gradInput + inner + (length + 1) * size)
        let gradTree = treeStates + treeLength * size
        let gradChain = gradTree + treeLength * size
        let (decay, gradX) = (gradChain + size, gradChain + 2 * size)

        setDelta(rows.delta)
        for t in 0..<length {
            let (gradY, up) = (rows.gradY + t * inner, row(gradResult, t))
            (rows.u + t * inner).update(from: row(u, t), count: inner)
            if let z {
                apply(MTL_SILU, row(z, t), into: input)
                multiply(up, input, into: gradY)
            } else {
                gradY.update(from: up, count: inner)
            }
        }
        setTreeStates(treeStates, delta: rows.delta, decay: decay, input: input)
        setChainStates(chain, treeStates: treeStates, rows: rows, decay: decay, input: input)

        rows.gradDelta.update(repeating: 0, count: length * inner)
        for t in 0..<length {
            row(gradients.B, t).update(repeating: 0, count: state)
            row(gradients.C, t).update(repeating: 0, count: state)
        }
        gradChain.update(repeating: 0, count: size)
        for t in stride(from: length - 1, through: 0, by: -1) {
            let (gradRow, isTree) = (rows.gradY + t * inner, t < treeLength)
            if t == treeLength - 1 {
                setTreeGradients(
                    gradTree, states: treeStates, carried: gradChain, rows: rows, decay: decay,
                    gradients: gradients)
            }
            addProduct(1, row(C, t), gradRow, to: gradChain)
            readAcross(chain + (t + 1) * size, gradRow, into: row(gradients.C, t))
            for i in 0..<size { gradX[i] = gain(t) * gradChain[i] }
            if isTree {
                readAcross(treeStates + t * size, gradRow, into: row(gradients.C, t))
                let gradTree = gradTree + t * size
                for i in 0..<size { gradX[i] += treeGain * gradTree[i] }
            }
            let (u, delta) = (rows.u + t * inner, rows.delta + t * inner)
            multiply(delta, u, into: input)
            readAcross(gradX, input, into: row(gradients.B, t))
            readOut(gradX, row(B, t), keep: 0, into: gradInput)
            let (gradU, gradDelta) = (rows.gradU + t * inner, rows.gradDelta + t * inner)
            let (D, gradD) = (D.base, gradients.D?.base)
            for d in 0..<inner {
                gradU[d] = gradInput[d] * delta[d] + D[d] * gradRow[d]
                gradDelta[d] += gradInput[d] * u[d]
                if let gradD { gradD[d] += gradRow[d] * u[d] }
            }

            setDecay(decay, delta: delta)
            for i in 0..<size { gradChain[i] *= decay[i] }
            addExponents(gradChain, times: chain + t * size, at: t, rows, to: gradients)
            if t == treeLength, t > 0 {
                addExponents(
                    gradChain, times: treeStates + root * size, at: t, rows, to: gradients)
            }
        }
        write(rows, gradResult: gradResult, to: gradients, sigmoid: input, up: gradInput)
    }

    /// The chain's states, the first being the one before the sequence, and y.
    private func setChainStates(
        _ chain: Floats, treeStates: Floats, rows: Rows, decay: Floats, input: Floats
    ) {
        start(chain)
        for t in 0..<length {
            let (before, h) = (chain + t * size, chain + (t + 1) * size)
            let (u, delta) = (rows.u + t * inner, rows.delta + t * inner)
            setDecay(decay, delta: delta)
            for i in 0..<size { h[i] = decay[i] * before[i] }
            if t == treeLength, t > 0 {
                let root = treeStates + root * size
                for i in 0..<size { h[i] += decay[i] * root[i] }
            }
            multiply(delta, u, into: input)
            addProduct(gain(t), row(B, t), input, to: h)
            let y = rows.y + t * inner
            multiply(D.base, u, into: y)
            readOut(h, row(C, t), keep: 1, into: y)
            if t < treeLength { readOut(treeStates + t * size, row(C, t), keep: 1, into: y) }
        }
    }

    /// The gradients by the tree's states, from the root to the leaves; `carried` is the part of the root's that comes
    /// from the tokens after the tree.
    private func setTreeGradients(
        _ gradTree: Floats, states: Floats, carried: Floats, rows: Rows, decay: Floats,
        gradients: SelectiveScan.Gradients
    ) {
        guard let tree else { return }
        for vertex in tree.order.reversed().lazy.map({ Int($0) }) {
            let grad = gradTree + vertex * size
            guard tree.parent[vertex] >= 0 else {
                grad.update(from: carried, count: size)
                addProduct(1, row(C, vertex), rows.gradY + vertex * inner, to: grad)
                continue
            }
            let transition = Int(tree.transition[vertex])
            let above = gradTree + Int(tree.parent[vertex]) * size
            setDecay(decay, delta: rows.delta + transition * inner)
            for i in 0..<size { grad[i] = decay[i] * above[i] }
            addExponents(grad, times: states + vertex * size, at: transition, rows, to: gradients)
            addProduct(1, row(C, vertex), rows.gradY + vertex * inner, to: grad)
        }
    }

    /// Adds what a decay's gradient means for `delta` and `A`.
    ///
    /// - Parameters:
    ///   - passed: The gradient by the state after the decay, times the decay.
    ///   - h: The state before it.
    ///   - t: The token whose decay it is.
    ///   - rows: The gradient by `delta` is added to.
    ///   - gradients: That by `A` is added to.
    private func addExponents(
        _ passed: Floats, times h: Floats, at t: Int, _ rows: Rows,
        to gradients: SelectiveScan.Gradients
    ) {
        let (delta, gradDelta) = (rows.delta + t * inner, rows.gradDelta + t * inner)
        for n in 0..<state {
            let (A, gradA) = (row(A, n), gradients.A.map { row($0, n) })
            for d in 0..<inner {
                let exponent = passed[n * inner + d] * h[n * inner + d]
                gradDelta[d] += exponent * A[d]
                gradA?[d] += exponent * delta[d]
            }
        }
    }

    /// Writes the gradients of the activations, each row of the operands being read before.
    private func write(
        _ rows: Rows, gradResult: Tensor, to gradients: SelectiveScan.Gradients, sigmoid: Floats,
        up: Floats
    ) {
        for t in 0..<length {
            let (y, gradU) = (rows.y + t * inner, rows.gradU + t * inner)
            let gradDelta = rows.gradDelta + t * inner
            up.update(from: row(gradResult, t), count: inner)
            apply(MTL_SIGMOID, row(step, t), into: sigmoid)
            multiply(gradDelta, sigmoid, into: gradDelta)
            if let z, let gradZ = gradients.z {
                // delta and gradY of this token are no longer needed.
                let (gate, slope) = (rows.gradY + t * inner, rows.delta + t * inner)
                apply(MTL_SIGMOID, row(z, t), into: sigmoid)
                for d in 0..<inner {
                    let z = row(z, t)[d]
                    gate[d] = z * sigmoid[d]
                    slope[d] = sigmoid[d] * (1 + z * (1 - sigmoid[d])) * up[d]
                }
                multiply(y, slope, into: row(gradZ, t))
                if let gated = gradients.gated { multiply(y, gate, into: row(gated, t)) }
            }
            row(gradients.u, t).update(from: gradU, count: inner)
            row(gradients.step, t).update(from: gradDelta, count: inner)
        }
    }
}
