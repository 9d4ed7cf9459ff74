import CKernels

extension ScanRun {
    /// What the pieces of a batch share in the backward pass.
    ///
    /// For each sequence of more than one piece: the state before each but the first and the gradient
    /// by the state between two, `[state, inner]` each. For each row of the longest piece: the shares of
    /// the gradients of `B` and `C`.
    struct Memory {
        private let start: UnsafeMutablePointer<Float>
        private let inner, state: Int
        /// The first of a sequence's states in the memory, and of its rows in a share.
        private let stateOffsets, rowOffsets: [Int]
        private let states: Int
        /// The distance of two shares.
        let shareStride: Int

        /// Lays the memory out and clears the gradients by states.
        ///
        /// - Parameters:
        ///   - run: The batch.
        ///   - memory: Gives memory for a number of floats.
        init(_ run: ScanRun, _ memory: (Int) -> UnsafeMutablePointer<Float>) {
            (inner, state) = (run.inner, run.state)
            var (states, rows, stateOffsets, rowOffsets) = (0, 0, [Int](), [Int]())
            for pieces in run.pieces {
                stateOffsets.append(states)
                rowOffsets.append(rows)
                if pieces.count > 1 { states += pieces.count }
                rows += pieces.first
            }
            (self.stateOffsets, self.rowOffsets) = (stateOffsets, rowOffsets)
            (self.states, shareStride) = (states, rows * 2 * run.state)
            start = memory(states * run.inner * run.state + run.shares * shareStride)
            for (pieces, offset) in zip(run.pieces, stateOffsets) where pieces.count > 1 {
                matrix(offset).start.update(repeating: 0, count: inner * state)
            }
        }

        /// The state before a piece that is not its sequence's first.
        func mark(of sequence: Int, piece: Int) -> mtl_matrix {
            matrix(stateOffsets[sequence] + piece)
        }

        /// The gradient by the state between two pieces of a sequence of more than one.
        func gradState(of sequence: Int) -> mtl_matrix { matrix(stateOffsets[sequence]) }

        /// A share of the gradients of `B` and `C`, `[rows, 2 * state]`.
        func share(_ share: Int, of sequence: Int) -> UnsafeMutablePointer<Float> {
            start + states * inner * state + share * shareStride + rowOffsets[sequence] * 2 * state
        }

        private func matrix(_ index: Int) -> mtl_matrix {
            mtl_matrix(start: start + index * inner * state, row: inner)
        }
    }
}
