import CKernels

/// How the backward scan of a batch cuts its sequences in pieces, and the memory that pieces share.
///
/// For each sequence of more than one piece: the state before each but the first and the gradient
/// by the state between two, `[state, inner]` each; for each group of channels and each row of the
/// longest piece: its share of the gradients of `B` and `C`.
struct BackwardRun {
    /// One sequence's pieces, the first of which holds all of the tree.
    struct Pieces {
        let length: Int
        let first: Int

        fileprivate init(_ sequence: SelectiveScan.Sequence) {
            length = sequence.rows.count
            let tree = sequence.tree?.count ?? 0
            first = tree > BackwardRun.chunk ? tree : min(length, BackwardRun.chunk)
        }

        var count: Int { 1 + (length - first + BackwardRun.chunk - 1) / BackwardRun.chunk }

        /// The tokens of a piece, counted from the sequence's first.
        subscript(index: Int) -> Range<Int> {
            guard index > 0 else { return 0..<first }
            let start = first + (index - 1) * BackwardRun.chunk
            return start..<min(start + BackwardRun.chunk, length)
        }
    }

    private static let chunk = Int(MTL_SCAN_CHUNK)

    let pieces: [Pieces]
    /// The first of a sequence's states in the memory, and of its rows in a group's share.
    private var stateOffsets: [Int] = []
    private var rowOffsets: [Int] = []
    private let states: Int
    /// The distance of two groups' shares.
    let shareStride: Int
    private let sequences: [SelectiveScan.Sequence]
    private let inner, state, groups: Int
    private let memory: UnsafeMutablePointer<Float>

    /// Cuts the sequences and clears the gradients by the states between pieces.
    ///
    /// - Parameters:
    ///   - x: The operands.
    ///   - memory: Gives memory for a number of floats.
    init(_ x: SelectiveScan.Inputs, memory: (Int) -> UnsafeMutablePointer<Float>) {
        sequences = x.sequences
        (inner, state) = (x.inner, x.state)
        groups = (x.inner + Int(MTL_SCAN_GROUP) - 1) / Int(MTL_SCAN_GROUP)
        pieces = x.sequences.map { Pieces($0) }
        var (states, rows) = (0, 0)
        for pieces in pieces {
            stateOffsets.append(states)
            rowOffsets.append(rows)
            if pieces.count > 1 { states += pieces.count }
            rows += pieces.first
        }
        (self.states, shareStride) = (states, rows * 2 * x.state)
        self.memory = memory(states * x.inner * x.state + groups * shareStride)
        for (pieces, offset) in zip(pieces, stateOffsets) where pieces.count > 1 {
            matrix(offset).start.update(repeating: 0, count: inner * state)
        }
    }

    var rounds: Int { pieces.lazy.map(\.count).max() ?? 0 }
    var longestPiece: Int { pieces.lazy.map(\.first).max() ?? 0 }

    /// The piece of a sequence that a round works on.
    func piece(of sequence: Int, round: Int) -> (index: Int, rows: Range<Int>)? {
        let index = pieces[sequence].count - 1 - round
        return index < 0 ? nil : (index, pieces[sequence][index])
    }

    /// The state before a piece.
    func mark(of sequence: Int, piece: Int) -> mtl_matrix {
        piece == 0
            ? sequences[sequence].initialState?.matrix() ?? mtl_matrix()
            : matrix(stateOffsets[sequence] + piece)
    }

    /// The gradient by the state between two pieces; nothing for a sequence of one.
    func gradState(of sequence: Int) -> mtl_matrix {
        pieces[sequence].count > 1 ? matrix(stateOffsets[sequence]) : mtl_matrix()
    }

    /// A group's share of the gradients of `B` and `C`, `[rows, 2 * state]`.
    func share(of sequence: Int, group: Int) -> UnsafeMutablePointer<Float> {
        memory + states * inner * state + group * shareStride + rowOffsets[sequence] * 2 * state
    }

    private func matrix(_ index: Int) -> mtl_matrix {
        mtl_matrix(start: memory + index * inner * state, row: inner)
    }
}
