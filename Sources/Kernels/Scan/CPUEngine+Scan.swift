import CKernels
import Tensors

extension CPUEngine {
    /// See ``SelectiveScan``.
    public func scan(_ x: SelectiveScan.Inputs, into result: Tensor) {
        x.check()
        precondition(result.shape == x.u.shape, "result is \(result.shape), u is \(x.u.shape)")
        switch scanKernel {
        case .fused: fusedScan(x, into: result)
        case .blas: blasScan(x, into: result)
        }
    }

    /// See ``SelectiveScan``.
    public func scanBackward(
        _ x: SelectiveScan.Inputs, gradResult: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        x.check()
        gradients.check(against: x)
        precondition(
            gradResult.shape == x.u.shape, "gradResult is \(gradResult.shape), u is \(x.u.shape)")
        switch scanKernel {
        case .fused: fusedScanBackward(x, gradResult: gradResult, into: gradients)
        case .blas: blasScanBackward(x, gradResult: gradResult, into: gradients)
        }
    }

    /// `A = -exp(ALog)ᵀ`.
    public func stateMatrix(_ ALog: Tensor, into A: Tensor) {
        precondition(
            A.shape == [ALog.columns, ALog.rows], "ALog is \(ALog.shape), A is \(A.shape)")
        divide(ALog.rows, by: 128) { part, _ in
            mtl_state_matrix(
                isa, ALog.matrix(), part.lowerBound, part.count, ALog.columns, A.matrix())
        }
    }

    /// `gradALog += (gradA · A)ᵀ`.
    public func stateMatrixBackward(_ gradA: Tensor, A: Tensor, into gradALog: Tensor) {
        precondition(
            gradA.shape == A.shape && gradALog.shape == [A.columns, A.rows],
            "gradA is \(gradA.shape), A is \(A.shape), gradALog is \(gradALog.shape)")
        for n in 0..<A.rows {
            let (up, at) = (gradA.matrix(row: n).start, A.matrix(row: n).start)
            let (target, stride) = (gradALog.base + n, gradALog.rowStride)
            for d in 0..<A.columns {
                target[d * stride] += (up?[d] ?? 0) * (at?[d] ?? 0)
            }
        }
    }
}

extension SelectiveScan.Inputs {
    var tokens: Int { u.rows }
    var inner: Int { A.columns }
    var state: Int { A.rows }

    /// Stops unless the shapes fit together and the sequences cover the batch in order.
    func check() {
        checkShapes()
        var end = 0
        for sequence in sequences {
            precondition(
                sequence.rows.lowerBound == end,
                "a sequence has rows \(sequence.rows), expected to start at \(end)")
            end = sequence.rows.upperBound
            for state in [sequence.initialState, sequence.finalState] {
                guard let state else { continue }
                precondition(state.shape == A.shape, "a state is \(state.shape), A is \(A.shape)")
            }
            guard let tree = sequence.tree else { continue }
            precondition(
                tree.count <= sequence.rows.count,
                "a tree of \(tree.count) tokens in a sequence of \(sequence.rows.count)")
        }
        precondition(end == tokens, "the sequences end at row \(end) of \(tokens)")
    }

    /// Stops unless the shapes fit together.
    func checkShapes() {
        precondition(
            u.shape.count == 2 && A.shape.count == 2 && A.columns == u.columns,
            "u is \(u.shape), A is \(A.shape)")
        precondition(step.shape == u.shape, "step is \(step.shape), u is \(u.shape)")
        precondition(z.map { $0.shape == u.shape } ?? true, "z is not \(u.shape), as u is")
        precondition(
            B.shape == [tokens, state] && C.shape == [tokens, state],
            "B is \(B.shape), C is \(C.shape), expected \([tokens, state])")
        precondition(D.shape == [inner], "D is \(D.shape), expected \([inner])")
    }
}

extension SelectiveScan.Gradients {
    fileprivate func check(against x: SelectiveScan.Inputs) {
        precondition(
            u.shape == x.u.shape && step.shape == x.u.shape,
            "gradients of u and step are \(u.shape) and \(step.shape), u is \(x.u.shape)")
        precondition((z == nil) == (x.z == nil), "a gate without gradient, or a gradient without")
        precondition(gated == nil || z != nil, "the gated result of a scan without a gate")
        precondition(
            [z, gated].allSatisfy { $0.map { $0.shape == x.u.shape } ?? true },
            "gradient of z or the gated result is not \(x.u.shape)")
        precondition(
            B.shape == x.B.shape && C.shape == x.C.shape,
            "gradients of B and C are \(B.shape) and \(C.shape), B is \(x.B.shape)")
        precondition(A.map { $0.shape == x.A.shape } ?? true, "gradient of A is not \(x.A.shape)")
        precondition(D.map { $0.shape == x.D.shape } ?? true, "gradient of D is not \(x.D.shape)")
    }
}
