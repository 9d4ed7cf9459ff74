import CKernels

/// The fused form: a job is a sequence and a group of channels, so jobs share no state.
extension CPUEngine {
    func fusedScan(_ x: SelectiveScan.Inputs, into result: Tensor) {
        let groups = x.groups
        run(x.sequences.count * groups, work: x.tokens * x.inner * x.state / 8) { index, worker in
            let (sequence, group) = index.quotientAndRemainder(dividingBy: groups)
            let rows = x.sequences[sequence].rows
            x.withKernelOperands(of: sequence, piece: 0..<rows.count) { scan in
                scan.initial_state = x.sequences[sequence].initialState.matrix()
                scanForward(
                    &scan, channels: x.channels(of: group),
                    result: result.matrix(row: rows.lowerBound),
                    finalState: x.sequences[sequence].finalState.matrix(), worker: worker)
            }
        }
    }

    /// The backward pass, in rounds: the last piece of every sequence, the last but one, and so on.
    ///
    /// The gradients of `B` and `C` are sums over all channels: each group adds up its own share,
    /// and the shares are added in the groups' order, whichever thread made them. Those of `A` and
    /// `D` are sums over the sequences, which then are walked in order by the group's own job.
    func fusedScanBackward(
        _ x: SelectiveScan.Inputs, gradResult: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        let groups = x.groups
        let run = BackwardRun(x) { scratch(worker: pool.threads, floats: $0) }
        markStates(x, run)
        for round in 0..<run.rounds {
            func walk(_ sequence: Int, _ group: Int, _ worker: Int) {
                guard let piece = run.piece(of: sequence, round: round) else { return }
                let first = x.sequences[sequence].rows.lowerBound + piece.rows.lowerBound
                var target = gradients.kernelOperands(firstRow: first)
                target.result = gradResult.matrix(row: first)
                target.state = run.gradState(of: sequence)
                target.BC = run.share(of: sequence, group: group)
                x.withKernelOperands(of: sequence, piece: piece.rows) { scan in
                    scan.initial_state = run.mark(of: sequence, piece: piece.index)
                    let scratch = scratch(
                        worker: worker, floats: mtl_scan_backward_scratch(&scan))
                    let channels = x.channels(of: group)
                    mtl_scan_backward(
                        isa, &scan, channels.lowerBound, channels.count, &target, scratch)
                }
            }
            if gradients.A == nil && gradients.D == nil {
                pool.run(x.sequences.count * groups) { index, worker in
                    walk(index / groups, index % groups, worker)
                }
            } else {
                pool.run(groups) { group, worker in
                    for sequence in x.sequences.indices { walk(sequence, group, worker) }
                }
            }
            sumShares(x, run, round: round, into: gradients)
        }
    }

    /// Runs the sequences of more than one piece through, keeping the state before each piece.
    private func markStates(_ x: SelectiveScan.Inputs, _ run: BackwardRun) {
        guard run.rounds > 1 else { return }
        let groups = x.groups
        pool.run(x.sequences.count * groups) { index, worker in
            let (sequence, group) = index.quotientAndRemainder(dividingBy: groups)
            let pieces = run.pieces[sequence]
            for piece in 0..<pieces.count - 1 {
                x.withKernelOperands(of: sequence, piece: pieces[piece]) { scan in
                    scan.initial_state = run.mark(of: sequence, piece: piece)
                    scanForward(
                        &scan, channels: x.channels(of: group), result: mtl_matrix(),
                        finalState: run.mark(of: sequence, piece: piece + 1), worker: worker)
                }
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

    /// Adds the groups' shares of a round up.
    private func sumShares(
        _ x: SelectiveScan.Inputs, _ run: BackwardRun, round: Int,
        into gradients: SelectiveScan.Gradients
    ) {
        let (state, size) = (x.state, 64)
        let parts = (run.longestPiece + size - 1) / size
        pool.run(x.sequences.count * parts) { index, _ in
            let (sequence, part) = index.quotientAndRemainder(dividingBy: parts)
            guard let piece = run.piece(of: sequence, round: round)?.rows,
                part * size < piece.count
            else { return }
            let share = run.share(of: sequence, group: 0) + part * size * 2 * state
            let first = x.sequences[sequence].rows.lowerBound + piece.lowerBound + part * size
            for (offset, gradient) in [(0, gradients.B), (state, gradients.C)] {
                mtl_scan_sum(
                    isa, share + offset, x.groups, run.shareStride, 2 * state,
                    gradient.matrix(row: first), min(size, piece.count - part * size), state)
            }
        }
    }
}

extension SelectiveScan.Inputs {
    /// The number of groups of neighbouring channels that a job works on.
    fileprivate var groups: Int { (inner + Int(MTL_SCAN_GROUP) - 1) / Int(MTL_SCAN_GROUP) }

    fileprivate func channels(of group: Int) -> Range<Int> {
        let width = Int(MTL_SCAN_GROUP)
        return group * width..<min((group + 1) * width, inner)
    }

    /// Calls `body` with the operands of some tokens of a sequence, without the state before them.
    ///
    /// The tree belongs to the piece that starts with the sequence.
    fileprivate func withKernelOperands(
        of sequence: Int, piece: Range<Int>, _ body: (inout mtl_scan) -> Void
    ) {
        let sequence = sequences[sequence]
        let first = sequence.rows.lowerBound + piece.lowerBound
        var scan = mtl_scan()
        (scan.u, scan.step) = (u.matrix(row: first), step.matrix(row: first))
        scan.z = z?.matrix(row: first) ?? mtl_matrix()
        (scan.B, scan.C) = (B.matrix(row: first), C.matrix(row: first))
        (scan.A, scan.D) = (A.matrix(), UnsafePointer(D.base))
        (scan.length, scan.state) = (piece.count, state)
        (scan.chain_gain, scan.tree_gain) = (sequence.chainGain, sequence.treeGain)
        guard let plan = sequence.tree?.plan, piece.lowerBound == 0 else { return body(&scan) }
        plan.steps.withUnsafeBufferPointer { steps in
            (scan.steps, scan.tree_length) = (steps.baseAddress, steps.count)
            scan.slots = plan.slots
            body(&scan)
        }
    }
}

extension SelectiveScan.Gradients {
    /// The targets from a row of the batch on.
    fileprivate func kernelOperands(firstRow row: Int) -> mtl_scan_gradients {
        var operands = mtl_scan_gradients()
        (operands.u, operands.step) = (u.matrix(row: row), step.matrix(row: row))
        operands.z = z?.matrix(row: row) ?? mtl_matrix()
        operands.gated = gated?.matrix(row: row) ?? mtl_matrix()
        (operands.A, operands.D) = (A.matrix(), D?.base)
        return operands
    }
}

extension Tensor? {
    /// The tensor as C kernels take it, or their sign for none.
    fileprivate func matrix() -> mtl_matrix { self?.matrix() ?? mtl_matrix() }
}
