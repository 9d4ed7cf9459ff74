import CKernels
import Tensors

/// The BLAS form: a token's state is a matrix `[state, inner]`, a new input a rank-one update of it.
///
/// It is the form that the fused kernels are measured and tested against. Forward, it keeps the
/// states of a tree's tokens, and backward all states of one sequence: `length * state * inner`
/// floats, twice where there is a tree.
extension CPUEngine {
    func blasScan(_ x: SelectiveScan.Inputs, into result: Tensor) {
        pool.run(x.sequences.count) { index, worker in
            let scan = BLASScan(x, x.sequences[index], engine: self)
            let working = scratch(worker: worker, floats: scan.forwardFloats)
            scan.forward(into: result.rows(x.sequences[index].rows), working: working)
        }
    }

    func blasScanBackward(
        _ x: SelectiveScan.Inputs, gradResult: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        func walk(_ sequence: SelectiveScan.Sequence, _ worker: Int) {
            let scan = BLASScan(x, sequence, engine: self)
            let working = scratch(worker: worker, floats: scan.backwardFloats)
            scan.backward(
                gradResult: gradResult.rows(sequence.rows), into: gradients.rows(sequence.rows),
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
            u: u.rows(range), step: step.rows(range), z: z?.rows(range), gated: gated?.rows(range),
            B: B.rows(range), C: C.rows(range), A: A, D: D)
    }
}

/// One sequence's operands and the operations on states that both passes are made of.
struct BLASScan {
    typealias Floats = UnsafeMutablePointer<Float>

    let u, step, B, C, A, D: Tensor
    let z: Tensor?
    let sequence: SelectiveScan.Sequence
    let inner, state, length, treeLength: Int
    /// The number of floats in a state.
    let size: Int
    private let isa: mtl_isa
    private let blas: OpenBLAS

    init(_ x: SelectiveScan.Inputs, _ sequence: SelectiveScan.Sequence, engine: CPUEngine) {
        (u, step) = (x.u.rows(sequence.rows), x.step.rows(sequence.rows))
        (B, C) = (x.B.rows(sequence.rows), x.C.rows(sequence.rows))
        z = x.z?.rows(sequence.rows)
        (A, D, self.sequence) = (x.A, x.D, sequence)
        (isa, blas) = (engine.isa, engine.blas)
        (inner, state, length) = (x.inner, x.state, sequence.rows.count)
        treeLength = sequence.tree?.count ?? 0
        size = x.inner * x.state
    }

    /// All of `delta`, a row; a state, a decay, the tree's states.
    var forwardFloats: Int { (length + 1) * inner + (2 + treeLength) * size }

    func row(_ x: Tensor, _ t: Int) -> Floats { x.base + t * x.rowStride }

    /// The gain of the chain's input at a token.
    func gain(_ t: Int) -> Float {
        t < treeLength ? sequence.chainGain : sequence.chainGain + sequence.treeGain
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
        if let initial = sequence.initialState {
            for n in 0..<state { (h + n * inner).update(from: row(initial, n), count: inner) }
        } else {
            h.update(repeating: 0, count: size)
        }
    }

    /// The tree's states by vertex, `[treeLength, state, inner]`.
    func setTreeStates(_ states: Floats, delta: Floats, decay: Floats, input: Floats) {
        guard let tree = sequence.tree?.tree else { return }
        states.update(repeating: 0, count: treeLength * size)
        for vertex in tree.order.lazy.map({ Int($0) }) {
            let h = states + vertex * size
            multiply(delta + vertex * inner, row(u, vertex), into: input)
            addProduct(sequence.treeGain, row(B, vertex), input, to: h)
            guard tree.parent[vertex] >= 0 else { continue }
            let above = states + Int(tree.parent[vertex]) * size
            setDecay(decay, delta: delta + Int(tree.transition[vertex]) * inner)
            for i in 0..<size { above[i] += decay[i] * h[i] }
        }
    }

    func forward(into result: Tensor, working: Floats) {
        let (delta, input) = (working, working + length * inner)
        let (h, decay) = (input + inner, input + inner + size)
        let tree = decay + size
        setDelta(delta)
        setTreeStates(tree, delta: delta, decay: decay, input: input)
        start(h)
        for t in 0..<length {
            setDecay(decay, delta: delta + t * inner)
            for i in 0..<size { h[i] *= decay[i] }
            multiply(delta + t * inner, row(u, t), into: input)
            addProduct(gain(t), row(B, t), input, to: h)
            // `input` is read: the row holds y, then the gate.
            multiply(D.base, row(u, t), into: input)
            readOut(h, row(C, t), keep: 1, into: input)
            if t < treeLength { readOut(tree + t * size, row(C, t), keep: 1, into: input) }
            if t == treeLength - 1 {
                let root = tree + t * size
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
        if let final = sequence.finalState {
            for n in 0..<state { row(final, n).update(from: h + n * inner, count: inner) }
        }
    }
}
