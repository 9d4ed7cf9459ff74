import CKernels

/// The fused form: a job is a sequence and a group of channels, so jobs share no state.
extension CPUEngine {
    func fusedScan(_ x: SelectiveScan.Inputs, into y: Tensor) {
        let plans = x.sequences.map { $0.tree.map(ScanPlan.init) ?? ScanPlan() }
        let groups = x.channelGroups
        pool.run(x.sequences.count * groups.count) { index, worker in
            let (sequence, group) = index.quotientAndRemainder(dividingBy: groups.count)
            plans[sequence].steps.withUnsafeBufferPointer { steps in
                var scan = x.kernelOperands(of: sequence, steps: steps)
                scan.slots = plans[sequence].slots
                let scratch = scratch(worker: worker, floats: mtl_scan_scratch(&scan))
                let finalState = x.sequences[sequence].finalState
                mtl_scan_forward(
                    isa, &scan, groups[group].lowerBound, groups[group].count,
                    y.matrix(row: x.sequences[sequence].rows.lowerBound),
                    finalState?.matrix() ?? mtl_matrix(), scratch)
            }
        }
    }

    /// The backward pass.
    ///
    /// The gradients of `B` and `C` are sums over all channels: each group adds up its own share,
    /// and the shares are added in the groups' order, whichever thread made them. Those of `A` and
    /// `D` are sums over the sequences, which then are walked in order by the group's own job.
    func fusedScanBackward(
        _ x: SelectiveScan.Inputs, gradY: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        let plans = x.sequences.map { $0.tree.map(ScanPlan.init) ?? ScanPlan() }
        let groups = x.channelGroups
        let share = x.tokens * 2 * x.state
        let shares = scratch(worker: pool.threads, floats: groups.count * share)

        func walk(_ sequence: Int, _ group: Int, _ worker: Int) {
            let rows = x.sequences[sequence].rows
            var target = gradients.kernelOperands(rows: rows, gradY: gradY)
            target.BC = shares + group * share + rows.lowerBound * 2 * x.state
            target.BC.update(repeating: 0, count: rows.count * 2 * x.state)
            plans[sequence].steps.withUnsafeBufferPointer { steps in
                var scan = x.kernelOperands(of: sequence, steps: steps)
                let scratch = scratch(worker: worker, floats: mtl_scan_backward_scratch(&scan))
                mtl_scan_backward(
                    isa, &scan, groups[group].lowerBound, groups[group].count, &target, scratch)
            }
        }
        if gradients.A == nil && gradients.D == nil {
            pool.run(x.sequences.count * groups.count) { index, worker in
                walk(index / groups.count, index % groups.count, worker)
            }
        } else {
            pool.run(groups.count) { group, worker in
                for sequence in x.sequences.indices { walk(sequence, group, worker) }
            }
        }

        let state = x.state
        divide(x.tokens, by: 64) { part, _ in
            for (offset, gradient) in [(0, gradients.B), (state, gradients.C)] {
                mtl_scan_sum(
                    isa, shares + part.lowerBound * 2 * state + offset, groups.count, share,
                    2 * state, gradient.matrix(row: part.lowerBound), part.count, state)
            }
        }
    }
}

extension SelectiveScan.Inputs {
    /// Neighbouring channels that one job works on.
    fileprivate var channelGroups: [Range<Int>] {
        let width = Int(MTL_SCAN_GROUP)
        return stride(from: 0, to: inner, by: width).map { $0..<min($0 + width, inner) }
    }

    /// One sequence's operands; without a tree, `steps` is empty.
    fileprivate func kernelOperands(
        of sequence: Int, steps: UnsafeBufferPointer<mtl_scan_step>
    ) -> mtl_scan {
        let sequence = sequences[sequence]
        let first = sequence.rows.lowerBound
        return mtl_scan(
            u: u.base + first * u.rowStride, delta: delta.base + first * delta.rowStride,
            B: B.base + first * B.rowStride, C: C.base + first * C.rowStride,
            u_row: u.rowStride, delta_row: delta.rowStride, B_row: B.rowStride, C_row: C.rowStride,
            A: A.base, D: D.base, A_row: A.rowStride, length: sequence.rows.count, state: state,
            chain_gain: sequence.chainGain, tree_gain: sequence.treeGain, steps: steps.baseAddress,
            tree_length: steps.count, slots: 0, initial_state: sequence.initialState?.base,
            initial_row: sequence.initialState?.rowStride ?? 0)
    }
}

extension SelectiveScan.Gradients {
    /// One sequence's rows; `BC` is left for the caller to set.
    fileprivate func kernelOperands(rows: Range<Int>, gradY: Tensor) -> mtl_scan_gradients {
        let first = rows.lowerBound
        var operands = mtl_scan_gradients()
        (operands.y, operands.y_row) = (
            UnsafePointer(gradY.base + first * gradY.rowStride), gradY.rowStride
        )
        (operands.u, operands.u_row) = (u.base + first * u.rowStride, u.rowStride)
        (operands.delta, operands.delta_row) = (
            delta.base + first * delta.rowStride, delta.rowStride
        )
        (operands.A, operands.A_row) = (A?.base, A?.rowStride ?? 0)
        operands.D = D?.base
        return operands
    }
}
