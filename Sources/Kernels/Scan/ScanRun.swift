import CKernels
import Tensors
import TreeTopology

/// A batch as the kernels take it: every sequence's operands, and how it is cut into pieces.
///
/// A piece is what a job works on at a time, so that the memory of a job does not grow with the length of
/// a sequence. The tensors must live as long as the value.
struct ScanRun {
    /// One sequence's pieces, the first of which holds all of the tree.
    struct Pieces {
        let length: Int
        let first: Int

        fileprivate init(length: Int, tree: Int) {
            self.length = length
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
        inner = x.inner
        state = x.state
        groups = (x.inner + Self.width - 1) / Self.width
        let (layout, indices) = (x.layout, x.layout.sequences.indices)
        pieces = indices.map {
            Pieces(length: layout.sequences[$0].length, tree: x.tree(of: $0)?.count ?? 0)
        }
        operands = indices.map { index in
            let (sequence, tree) = (layout.sequences[index], x.tree(of: index))
            let first = layout.rows[index].lowerBound
            let plan = tree.map(ScanPlan.of)
            return mtl_scan(
                u: x.u.matrix(row: first), step: x.step.matrix(row: first),
                z: x.z.matrix(row: first), B: x.B.matrix(row: first), C: x.C.matrix(row: first),
                A: x.A.matrix(), D: x.D.base, length: sequence.length, state: x.state,
                chain_gain: sequence.chainGain, tree_gain: sequence.treeGain,
                steps: plan?.steps, first_steps: plan.map { UnsafePointer($0.firstSteps) },
                tree_length: tree?.count ?? 0,
                slots: plan?.slots ?? 0,
                initial_state: x.initialState(of: index).matrix())
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

    /// The number of groups that are one after another's in every sequence: those of the largest share.
    private var groupsPerUnit: Int { pieces.lazy.map(\.groupsPerShare).max() ?? 1 }

    /// The number of jobs where gradients are sums over the sequences: no channel is in two of them.
    var units: Int { (groups + groupsPerUnit - 1) / groupsPerUnit }

    /// The shares of a sequence that belong to a unit.
    func shares(in unit: Int, sequence: Int) -> Range<Int> {
        let perUnit = groupsPerUnit / pieces[sequence].groupsPerShare
        let count = shares(of: sequence)
        return min(unit * perUnit, count)..<min((unit + 1) * perUnit, count)
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
        scan.tree_length = 0
        scan.initial_state = mtl_matrix()
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
            inner = run.inner
            state = run.state
            var (states, rows, stateOffsets, rowOffsets) = (0, 0, [Int](), [Int]())
            for pieces in run.pieces {
                stateOffsets.append(states)
                rowOffsets.append(rows)
                if pieces.count > 1 { states += pieces.count }
                rows += pieces.first
            }
            self.stateOffsets = stateOffsets
            self.rowOffsets = rowOffsets
            self.states = states
            shareStride = rows * 2 * run.state
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

/// The steps of one tree's scan, from the leaves to the root, in the form the C kernel reads.
///
/// A vertex with children finds their sum in a slot and frees it; a vertex without needs none. So
/// as many slots are in use as there are vertices with some, but not all, of their children done:
/// on an order that finishes the largest subtree first, at most log2 of the number of vertices.
///
/// Nothing changes after the initializer, so threads may share a plan.
final class ScanPlan: @unchecked Sendable {
    /// One step a vertex.
    let steps: UnsafeMutablePointer<mtl_scan_step>
    /// The number of slots the steps use.
    let slots: Int
    /// Of each `MTL_SCAN_CHUNK` tokens, the first step that is of one of them or uses its decay.
    let firstSteps: UnsafeMutablePointer<Int32>

    /// The plan of a tree, made at the first scan along it.
    static func of(_ tree: ScanTree) -> ScanPlan {
        if let plan = tree.prepared as? ScanPlan { return plan }
        let plan = ScanPlan(tree.tree)
        tree.prepared = plan
        return plan
    }

    /// Lays out a tree's states.
    init(_ tree: RootedTree) {
        let (parent, order, transition) = (tree.parent, tree.order, tree.transition)
        let count = parent.count
        steps = .allocate(capacity: count)
        // -1 before a vertex has met a child.
        var slot = [Int32](repeating: -1, count: count)
        var (free, slots) = ([Int32](), Int32(0))
        for (place, vertex) in order.enumerated() {
            let (above, source) = (parent[Int(vertex)], slot[Int(vertex)])
            if source >= 0 { free.append(source) }
            var (target, opens) = (Int32(-1), false)
            if above >= 0 {
                opens = slot[Int(above)] < 0
                if opens {
                    slot[Int(above)] = free.popLast() ?? slots
                    slots = max(slots, slot[Int(above)] + 1)
                }
                target = slot[Int(above)]
            }
            (steps + place).initialize(
                to: mtl_scan_step(
                    vertex: vertex, parent: above, transition: transition[Int(vertex)],
                    source: source, target: target, opens: opens ? 1 : 0))
        }
        self.slots = Int(slots)
        let chunk = Int(MTL_SCAN_CHUNK)
        firstSteps = .allocate(capacity: (count + chunk - 1) / chunk)
        for place in (0..<count).reversed() {
            let step = steps[place]
            firstSteps[Int(step.vertex) / chunk] = Int32(place)
            if step.parent >= 0 { firstSteps[Int(step.transition) / chunk] = Int32(place) }
        }
    }

    deinit {
        steps.deallocate()
        firstSteps.deallocate()
    }
}
