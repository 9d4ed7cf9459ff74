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

    /// Stops unless the shapes fit together and the sequences cover the batch.
    func check() {
        checkShapes()
        let sequences = layout.sequences
        for counts in [trees.count, initialStates.count, finalStates.count] {
            precondition(
                counts == 0 || counts == sequences.count,
                "\(counts) trees or states, \(sequences.count) sequences")
        }
        for case let state? in initialStates + finalStates {
            precondition(state.shape == A.shape, "a state is \(state.shape), A is \(A.shape)")
        }
        for case (let sequence, let tree?) in zip(sequences, trees) {
            precondition(
                tree.count <= sequence.length,
                "a tree of \(tree.count) tokens in a sequence of \(sequence.length)")
        }
        precondition(
            layout.tokens == tokens, "the sequences end at row \(layout.tokens) of \(tokens)")
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

/// The fused form: a job is a piece of a sequence and a group of channels, so jobs share no state.
///
/// Pieces come in rounds, one of every sequence that has as many, so that sequences of a long batch are
/// worked on together and those of a long sequence hand their states on.
extension CPUEngine {
    func fusedScan(_ x: SelectiveScan.Inputs, into result: Tensor) {
        let run = ScanRun(x)
        // Where a sequence's state is from one piece to the next.
        let carried = scratch(
            worker: pool.threads, floats: run.rounds > 1 ? run.pieces.count * x.A.count : 0)
        let states = run.pieces.indices.map { index in
            if let final = x.finalState(of: index) { return final.matrix() }
            return run.pieces[index].count == 1
                ? mtl_matrix() : mtl_matrix(start: carried + index * x.A.count, row: x.inner)
        }
        for round in 0..<run.rounds {
            let work = run.rounds > 1 ? Int.max : x.tokens * x.A.count / 8
            self.run(run.pieces.count * run.groups, work: work) { index, worker in
                let (sequence, group) = index.quotientAndRemainder(dividingBy: run.groups)
                let pieces = run.pieces[sequence]
                guard round < pieces.count else { return }
                var scan = run.operands(of: sequence, piece: round)
                if round > 0 { scan.initial_state = states[sequence] }
                let row = x.layout.rows[sequence].lowerBound + pieces[round].lowerBound
                scanForward(
                    &scan, channels: run.channels(of: group..<group + 1),
                    result: result.matrix(row: row), finalState: states[sequence],
                    worker: worker)
            }
        }
    }

    /// The backward pass: the states before all pieces first, then the pieces, the last first.
    ///
    /// The gradients of `B` and `C` are sums over all channels: groups add up shares, and the shares
    /// are added in order, whichever thread made them. Those of `A` and `D` are sums over the
    /// sequences, which then are walked in order by the groups' own job.
    func fusedScanBackward(
        _ x: SelectiveScan.Inputs, gradResult: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        let run = ScanRun(x)
        let memory = ScanRun.Memory(run) { scratch(worker: pool.threads, floats: $0) }
        markStates(run, memory)
        for round in 0..<run.rounds {
            func walk(_ sequence: Int, _ share: Int, _ worker: Int) {
                let pieces = run.pieces[sequence]
                let piece = pieces.count - 1 - round
                guard piece >= 0 else { return }
                let row = x.layout.rows[sequence].lowerBound + pieces[piece].lowerBound
                var target = gradients.kernelOperands(firstRow: row)
                target.result = gradResult.matrix(row: row)
                if pieces.count > 1 { target.state = memory.gradState(of: sequence) }
                target.BC = memory.share(share, of: sequence)
                var scan = run.operands(of: sequence, piece: piece)
                if piece > 0 { scan.initial_state = memory.mark(of: sequence, piece: piece) }
                let all = run.channels(of: run.groups(of: share, sequence: sequence))
                for channels in pieces.parts(of: all) {
                    let scratch = scratch(
                        worker: worker, floats: mtl_scan_backward_scratch(&scan, channels.count))
                    mtl_scan_backward(
                        isa, &scan, channels.lowerBound, channels.count, &target, scratch)
                    target.adds = true
                }
            }
            if gradients.A == nil && gradients.D == nil {
                pool.run(run.pieces.count * run.shares) { index, worker in
                    walk(index / run.shares, index % run.shares, worker)
                }
            } else {
                pool.run(run.units) { unit, worker in
                    for sequence in run.pieces.indices {
                        for share in run.shares(in: unit, sequence: sequence) {
                            walk(sequence, share, worker)
                        }
                    }
                }
            }
            sumShares(x, run, memory, round: round, into: gradients)
        }
    }

    /// Runs the sequences of more than one piece through, keeping the state before each piece.
    private func markStates(_ run: ScanRun, _ memory: ScanRun.Memory) {
        for round in 0..<max(run.rounds - 1, 0) {
            pool.run(run.pieces.count * run.groups) { index, worker in
                let (sequence, group) = index.quotientAndRemainder(dividingBy: run.groups)
                guard round + 1 < run.pieces[sequence].count else { return }
                var scan = run.operands(of: sequence, piece: round)
                if round > 0 { scan.initial_state = memory.mark(of: sequence, piece: round) }
                scanForward(
                    &scan, channels: run.channels(of: group..<group + 1), result: mtl_matrix(),
                    finalState: memory.mark(of: sequence, piece: round + 1), worker: worker)
            }
        }
    }

    private func scanForward(
        _ scan: inout mtl_scan, channels: Range<Int>, result: mtl_matrix, finalState: mtl_matrix,
        worker: Int
    ) {
        let scratch = scratch(worker: worker, floats: mtl_scan_scratch(&scan))
        mtl_scan_forward(
            isa, &scan, channels.lowerBound, channels.count, result, finalState, scratch)
    }

    /// Adds the shares of a round up.
    private func sumShares(
        _ x: SelectiveScan.Inputs, _ run: ScanRun, _ memory: ScanRun.Memory, round: Int,
        into gradients: SelectiveScan.Gradients
    ) {
        let (state, size) = (x.state, 64)
        let parts = (run.longestPiece + size - 1) / size
        pool.run(run.pieces.count * parts) { index, _ in
            let (sequence, part) = index.quotientAndRemainder(dividingBy: parts)
            let piece = run.pieces[sequence].count - 1 - round
            guard piece >= 0 else { return }
            let rows = run.pieces[sequence][piece].dropFirst(part * size).prefix(size)
            guard !rows.isEmpty else { return }
            let share = memory.share(0, of: sequence) + part * size * 2 * state
            let first = x.layout.rows[sequence].lowerBound + rows.startIndex
            for (offset, gradient) in [(0, gradients.B), (state, gradients.C)] {
                mtl_scan_sum(
                    isa, share + offset, run.shares(of: sequence), memory.shareStride, 2 * state,
                    gradient.matrix(row: first), rows.count, state)
            }
        }
    }
}

extension SelectiveScan.Gradients {
    /// The targets from a row of the batch on.
    fileprivate func kernelOperands(firstRow row: Int) -> mtl_scan_gradients {
        var operands = mtl_scan_gradients()
        operands.u = u.matrix(row: row)
        operands.step = step.matrix(row: row)
        operands.z = z.matrix(row: row)
        operands.gated = gated.matrix(row: row)
        operands.A = A.matrix()
        operands.D = D?.base
        return operands
    }
}
