import CKernels
import Tensors

/// A batch as the kernels take it: every sequence's operands, and how it is cut into pieces.
///
/// A piece is what a job works on at a time, so that the memory of a job does not grow with the length of
/// a sequence. The tensors must live as long as the value.
struct ScanRun {
    /// One sequence's pieces, the first of which holds all of the tree.
    struct Pieces {
        let length: Int
        let first: Int

        fileprivate init(_ sequence: SelectiveScan.Sequence) {
            length = sequence.rows.count
            let tree = sequence.tree?.count ?? 0
            first = tree > ScanRun.chunk ? tree : min(length, ScanRun.chunk)
        }

        /// How many groups of channels add up one share of the gradients of `B` and `C`.
        ///
        /// Each has its own as long as that is small: groups of one share are worked on one after another.
        var groupsPerShare: Int { first > 16 * ScanRun.chunk ? 4 : 1 }

        /// The channels that the backward pass computes at a time.
        ///
        /// Those of a group, whose rows are read a few cache lines at a time, unless the memory for it
        /// grows with a long tree: that of one block is a quarter.
        func parts(of channels: Range<Int>) -> [Range<Int>] {
            let size = first > ScanRun.chunk ? Int(MTL_SCAN_BLOCK) : ScanRun.width
            return stride(from: channels.lowerBound, to: channels.upperBound, by: size).map {
                $0..<min($0 + size, channels.upperBound)
            }
        }

        var count: Int { 1 + (length - first + ScanRun.chunk - 1) / ScanRun.chunk }

        /// The tokens of a piece, counted from the sequence's first.
        subscript(index: Int) -> Range<Int> {
            guard index > 0 else { return 0..<first }
            let start = first + (index - 1) * ScanRun.chunk
            return start..<min(start + ScanRun.chunk, length)
        }
    }

    private static let chunk = Int(MTL_SCAN_CHUNK)
    private static let width = Int(MTL_SCAN_GROUP)

    let pieces: [Pieces]
    let inner, state: Int
    /// The number of groups of neighbouring channels that a job works on.
    let groups: Int
    private let operands: [mtl_scan]

    init(_ x: SelectiveScan.Inputs) {
        (inner, state) = (x.inner, x.state)
        groups = (x.inner + Self.width - 1) / Self.width
        pieces = x.sequences.map { Pieces($0) }
        operands = x.sequences.map { sequence in
            let first = sequence.rows.lowerBound
            let plan = sequence.tree.map(ScanPlan.of)
            return mtl_scan(
                u: x.u.matrix(row: first), step: x.step.matrix(row: first),
                z: x.z.matrix(row: first), B: x.B.matrix(row: first), C: x.C.matrix(row: first),
                A: x.A.matrix(), D: x.D.base, length: sequence.rows.count, state: x.state,
                chain_gain: sequence.chainGain, tree_gain: sequence.treeGain,
                steps: plan?.steps, first_steps: plan.map { UnsafePointer($0.firstSteps) },
                tree_length: sequence.tree?.count ?? 0,
                slots: plan?.slots ?? 0,
                initial_state: sequence.initialState.matrix())
        }
    }

    /// The number of shares in which the groups add up the gradients of a sequence's `B` and `C`.
    func shares(of sequence: Int) -> Int {
        let perShare = pieces[sequence].groupsPerShare
        return (groups + perShare - 1) / perShare
    }

    /// The groups of a share of a sequence; none if it has no such share.
    func groups(of share: Int, sequence: Int) -> Range<Int> {
        let perShare = pieces[sequence].groupsPerShare
        return min(share * perShare, groups)..<min((share + 1) * perShare, groups)
    }

    /// The most shares of a sequence.
    var shares: Int { pieces.indices.lazy.map { shares(of: $0) }.max() ?? 0 }

    /// The number of pieces of the longest sequence.
    var rounds: Int { pieces.lazy.map(\.count).max() ?? 0 }
    /// The number of tokens in the longest piece.
    var longestPiece: Int { pieces.lazy.map(\.first).max() ?? 0 }

    /// The channels of some neighbouring groups.
    func channels(of groups: Range<Int>) -> Range<Int> {
        min(groups.lowerBound * Self.width, inner)..<min(groups.upperBound * Self.width, inner)
    }

    /// The operands of a piece.
    ///
    /// The initial state of a first one is the sequence's, and others have none.
    func operands(of sequence: Int, piece: Int) -> mtl_scan {
        let rows = pieces[sequence][piece]
        var scan = operands[sequence]
        scan.length = rows.count
        guard piece > 0 else { return scan }
        (scan.tree_length, scan.initial_state) = (0, mtl_matrix())
        scan.u.advance(by: rows.lowerBound)
        scan.step.advance(by: rows.lowerBound)
        scan.z.advance(by: rows.lowerBound)
        scan.B.advance(by: rows.lowerBound)
        scan.C.advance(by: rows.lowerBound)
        return scan
    }
}

extension mtl_matrix {
    /// Leaves rows out at the start; does nothing to a matrix that is not there.
    fileprivate mutating func advance(by rows: Int) { start = start.map { $0 + rows * row } }
}
