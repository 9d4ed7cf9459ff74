import CKernels
import Tensors

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
            (u, delta, y) = (working, working + size, working + 2 * size)
            (gradY, gradU, gradDelta) = (
                working + 3 * size, working + 4 * size, working + 5 * size
            )
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
        let (chain, tree) = (gradInput + inner, gradInput + inner + (length + 1) * size)
        let gradTree = tree + treeLength * size
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
        setTreeStates(tree, delta: rows.delta, decay: decay, input: input)
        setChainStates(chain, tree: tree, rows: rows, decay: decay, input: input)

        rows.gradDelta.update(repeating: 0, count: length * inner)
        for t in 0..<length {
            row(gradients.B, t).update(repeating: 0, count: state)
            row(gradients.C, t).update(repeating: 0, count: state)
        }
        gradChain.update(repeating: 0, count: size)
        for t in stride(from: length - 1, through: 0, by: -1) {
            let (gradRow, isTree) = (rows.gradY + t * inner, t < treeLength)
            addProduct(1, row(C, t), gradRow, to: gradChain)
            readAcross(chain + (t + 1) * size, gradRow, into: row(gradients.C, t))
            if t == treeLength - 1 {
                setTreeGradients(
                    gradTree, states: tree, root: gradChain, rows: rows, decay: decay,
                    gradients: gradients)
            }
            for i in 0..<size { gradX[i] = gain(t) * gradChain[i] }
            if isTree {
                readAcross(tree + t * size, gradRow, into: row(gradients.C, t))
                let gradTree = gradTree + t * size
                for i in 0..<size { gradX[i] += sequence.treeGain * gradTree[i] }
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
                addExponents(gradChain, times: tree + (t - 1) * size, at: t, rows, to: gradients)
            }
        }
        write(rows, gradResult: gradResult, to: gradients, sigmoid: input, up: gradInput)
    }

    /// The chain's states, the first being the one before the sequence, and y.
    private func setChainStates(
        _ chain: Floats, tree: Floats, rows: Rows, decay: Floats, input: Floats
    ) {
        start(chain)
        for t in 0..<length {
            let (before, h) = (chain + t * size, chain + (t + 1) * size)
            let (u, delta) = (rows.u + t * inner, rows.delta + t * inner)
            setDecay(decay, delta: delta)
            for i in 0..<size { h[i] = decay[i] * before[i] }
            if t == treeLength, t > 0 {
                let root = tree + (t - 1) * size
                for i in 0..<size { h[i] += decay[i] * root[i] }
            }
            multiply(delta, u, into: input)
            addProduct(gain(t), row(B, t), input, to: h)
            let y = rows.y + t * inner
            multiply(D.base, u, into: y)
            readOut(h, row(C, t), keep: 1, into: y)
            if t < treeLength { readOut(tree + t * size, row(C, t), keep: 1, into: y) }
        }
    }

    /// The gradients by the tree's states, from the root, whose own is given, to the leaves.
    private func setTreeGradients(
        _ gradTree: Floats, states: Floats, root: Floats, rows: Rows, decay: Floats,
        gradients: SelectiveScan.Gradients
    ) {
        guard let tree = sequence.tree?.tree else { return }
        for vertex in tree.order.reversed().lazy.map({ Int($0) }) {
            let grad = gradTree + vertex * size
            guard tree.parent[vertex] >= 0 else {
                grad.update(from: root, count: size)
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
