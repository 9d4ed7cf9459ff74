import CKernels
import Tensors

/// The fused form: a job is a piece of a sequence and a group of channels, so jobs share no state.
///
/// Pieces come in rounds, one of every sequence that has as many, so that sequences of a long batch are
/// worked on together and those of a long sequence hand their states on.
extension CPUEngine {
    func fusedScan(_ x: SelectiveScan.Inputs, into result: Tensor) {
        let run = ScanRun(x)
        // Where a sequence's state is from one piece to the next.
        let carried = scratch(
            worker: pool.threads, floats: run.rounds > 1 ? x.sequences.count * x.A.count : 0)
        let states = x.sequences.enumerated().map { index, sequence in
            if let final = sequence.finalState { return final.matrix() }
            return run.pieces[index].count == 1
                ? mtl_matrix() : mtl_matrix(start: carried + index * x.A.count, row: x.inner)
        }
        for round in 0..<run.rounds {
            let work = run.rounds > 1 ? Int.max : x.tokens * x.A.count / 8
            self.run(x.sequences.count * run.groups, work: work) { index, worker in
                let (sequence, group) = index.quotientAndRemainder(dividingBy: run.groups)
                let pieces = run.pieces[sequence]
                guard round < pieces.count else { return }
                var scan = run.operands(of: sequence, piece: round)
                if round > 0 { scan.initial_state = states[sequence] }
                let row = x.sequences[sequence].rows.lowerBound + pieces[round].lowerBound
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
                let row = x.sequences[sequence].rows.lowerBound + pieces[piece].lowerBound
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
                pool.run(x.sequences.count * run.shares) { index, worker in
                    walk(index / run.shares, index % run.shares, worker)
                }
            } else {
                pool.run(run.shares) { share, worker in
                    for sequence in x.sequences.indices { walk(sequence, share, worker) }
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
        pool.run(x.sequences.count * parts) { index, _ in
            let (sequence, part) = index.quotientAndRemainder(dividingBy: parts)
            let piece = run.pieces[sequence].count - 1 - round
            guard piece >= 0 else { return }
            let rows = run.pieces[sequence][piece].dropFirst(part * size).prefix(size)
            guard !rows.isEmpty else { return }
            let share = memory.share(0, of: sequence) + part * size * 2 * state
            let first = x.sequences[sequence].rows.lowerBound + rows.startIndex
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
        (operands.u, operands.step) = (u.matrix(row: row), step.matrix(row: row))
        (operands.z, operands.gated) = (z.matrix(row: row), gated.matrix(row: row))
        (operands.A, operands.D) = (A.matrix(), D?.base)
        return operands
    }
}
