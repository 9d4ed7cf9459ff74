import CKernels

extension CPUEngine {
    /// See ``SelectiveScan``.
    public func scan(_ x: SelectiveScan.Inputs, into y: Tensor) {
        x.check()
        precondition(y.shape == x.u.shape, "y is \(y.shape), u is \(x.u.shape)")
        switch scanKernel {
        case .fused: fusedScan(x, into: y)
        case .blas: blasScan(x, into: y)
        }
    }

    /// See ``SelectiveScan``.
    public func scanBackward(
        _ x: SelectiveScan.Inputs, gradY: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        x.check()
        gradients.check(against: x)
        precondition(gradY.shape == x.u.shape, "gradY is \(gradY.shape), u is \(x.u.shape)")
        switch scanKernel {
        case .fused: fusedScanBackward(x, gradY: gradY, into: gradients)
        case .blas: blasScanBackward(x, gradY: gradY, into: gradients)
        }
    }
}

extension SelectiveScan.Inputs {
    var tokens: Int { u.rows }
    var inner: Int { A.rows }
    var state: Int { A.columns }

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
            sequence.tree?.check(length: sequence.rows.count)
        }
        precondition(end == tokens, "the sequences end at row \(end) of \(tokens)")
    }

    /// Stops unless the shapes fit together.
    func checkShapes() {
        precondition(
            u.shape.count == 2 && A.shape.count == 2 && A.rows == u.columns,
            "u is \(u.shape), A is \(A.shape)")
        precondition(delta.shape == u.shape, "delta is \(delta.shape), u is \(u.shape)")
        precondition(
            B.shape == [tokens, state] && C.shape == [tokens, state],
            "B is \(B.shape), C is \(C.shape), expected \([tokens, state])")
        precondition(D.shape == [inner], "D is \(D.shape), expected \([inner])")
    }
}

extension SelectiveScan.Gradients {
    fileprivate func check(against x: SelectiveScan.Inputs) {
        precondition(
            u.shape == x.u.shape && delta.shape == x.u.shape,
            "gradients of u and delta are \(u.shape) and \(delta.shape), u is \(x.u.shape)")
        precondition(
            B.shape == x.B.shape && C.shape == x.C.shape,
            "gradients of B and C are \(B.shape) and \(C.shape), B is \(x.B.shape)")
        precondition(A.map { $0.shape == x.A.shape } ?? true, "gradient of A is not \(x.A.shape)")
        precondition(D.map { $0.shape == x.D.shape } ?? true, "gradient of D is not \(x.D.shape)")
    }
}
