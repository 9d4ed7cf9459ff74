import Tensors
import TestSupport
import Testing
import TreeTopology

/// How the decay on a tree's edge is chosen, as far as the scan can tell.
enum TransitionRule: String, CaseIterable, Sendable {
    case successor, parent, child, random
}

/// Operands of random values: a size, a batch and a rule.
struct ScanCase: CustomTestStringConvertible, Sendable {
    var inner: Int
    var state: Int
    var lengths: [(length: Int, tree: Int)]
    var rule: TransitionRule = .successor
    var gains: (chain: Float, tree: Float) = (1, 0.3)
    /// Whether sequences start from a state.
    var startsFromState = false
    var hasGate = true
    /// How many places a vertex comes before its parent at most.
    var reach = Int.max
    /// The root of every tree, as a part of its tokens; the last token at 1.
    var root = 1.0

    var testDescription: String {
        let lengths = lengths.map { "\($0.length)/\($0.tree)" }.joined(separator: " ")
        return "[\(lengths), \(inner), \(state)] \(rule)" + (hasGate ? "" : " without a gate")
            + (root < 1 ? " rooted at \(root)" : "")
    }

    static let all: [ScanCase] =
        [
            ScanCase(inner: 1, state: 1, lengths: [(1, 0)]),
            ScanCase(inner: 1, state: 1, lengths: [(1, 1)]),
            ScanCase(
                inner: 5, state: 16, lengths: [(7, 0), (1, 0), (4, 0)], startsFromState: true),
            ScanCase(inner: 40, state: 8, lengths: [(6, 4), (9, 9), (3, 0)]),
            ScanCase(inner: 67, state: 16, lengths: [(5, 5), (8, 3)], gains: (0.5, 2)),
            ScanCase(inner: 18, state: 5, lengths: [(6, 6), (7, 4)], gains: (0, 1)),
            ScanCase(
                inner: 18, state: 16, lengths: [(6, 6), (7, 4), (3, 0)], startsFromState: true),
            ScanCase(inner: 3, state: 20, lengths: [(9, 6)]),
            ScanCase(inner: 19, state: 16, lengths: [(6, 4), (3, 0)], hasGate: false),
            ScanCase(inner: 19, state: 16, lengths: [(6, 6), (8, 5)], root: 0),
            ScanCase(inner: 5, state: 4, lengths: [(9, 7)], startsFromState: true, root: 0.5),
        ]
        + TransitionRule.allCases.map { ScanCase(inner: 4, state: 3, lengths: [(9, 7)], rule: $0) }

    /// Draws the operands; the same for every call.
    func inputs() -> SelectiveScan.Inputs {
        var generator = SeededGenerator(seed: 7)
        let tokens = lengths.reduce(0) { $0 + $1.length }
        var first = 0
        let sequences = lengths.map { length, tree in
            defer { first += length }
            let initial =
                startsFromState
                ? Tensor.random([state, inner], in: -1...1, using: &generator) : nil
            return SelectiveScan.Sequence(
                rows: first..<first + length, chainGain: gains.chain, treeGain: gains.tree,
                tree: tree == 0
                    ? nil
                    : randomTree(
                        tree, root: Int(Double(tree - 1) * root), rule: rule, reach: reach,
                        using: &generator),
                initialState: initial,
                finalState: Tensor(shape: [state, inner], repeating: .nan))
        }
        // z, B and C are columns of wider tensors, as in a model.
        let projected = Tensor.random([tokens, 3 + 2 * state], in: -1...1, using: &generator)
        let xz = Tensor.random([tokens, 2 * inner], in: -3...3, using: &generator)
        return SelectiveScan.Inputs(
            u: .random([tokens, inner], in: -1...1, using: &generator),
            step: .random([tokens, inner], in: -4...0.5, using: &generator),
            z: hasGate ? xz.columns(inner..<2 * inner) : nil,
            A: .random([state, inner], in: -2...(-0.1), using: &generator),
            B: projected.columns(3..<3 + state),
            C: projected.columns(3 + state..<3 + 2 * state),
            D: .random([inner], in: -1...1, using: &generator), sequences: sequences)
    }
}

/// A tree over `count` tokens whose edges are drawn: between any, or between neighbours.
func randomTree(
    _ count: Int, root: Int, rule: TransitionRule, reach: Int,
    using generator: inout SeededGenerator
) -> ScanTree {
    // A permutation that ends with the root; each vertex hangs on one placed after it.
    let others = (0..<count).filter { $0 != root }
    var order = others.shuffled(using: &generator) + [root]
    if reach < count {
        for start in stride(from: 0, to: count - 1, by: reach) {
            let places = start..<min(start + reach, count - 1)
            order.replaceSubrange(places, with: others[places].shuffled(using: &generator))
        }
    }
    var parent = [Int32](repeating: -1, count: count)
    for place in 0..<count - 1 {
        let places = place + 1..<place + 1 + min(reach, count - place - 1)
        parent[order[place]] = Int32(order[Int.random(in: places, using: &generator)])
    }
    let transition = (0..<count).map { vertex -> Int32 in
        switch rule {
        case .successor: Int32(min(vertex + 1, count - 1))
        case .parent: max(parent[vertex], 0)
        case .child: Int32(vertex)
        case .random: Int32.random(in: 0..<Int32(count), using: &generator)
        }
    }
    return ScanTree(
        RootedTree(parent: parent, order: order.map(Int32.init), transition: transition))
}

extension SelectiveScan {
    /// All that there is to say of one sequence of a batch.
    struct Sequence {
        var rows: Range<Int>
        var chainGain: Float = 1
        var treeGain: Float = 0
        var tree: ScanTree?
        var initialState: Tensor?
        var finalState: Tensor?
    }
}

extension SelectiveScan.Inputs {
    init(
        u: Tensor, step: Tensor, z: Tensor? = nil, A: Tensor, B: Tensor, C: Tensor, D: Tensor,
        sequences: [SelectiveScan.Sequence]
    ) {
        self.init(u: u, step: step, z: z, A: A, B: B, C: C, D: D, layout: BatchLayout([]))
        self.sequences = sequences
    }

    /// The sequences, one by one.
    var sequences: [SelectiveScan.Sequence] {
        get {
            layout.sequences.indices.map { index in
                SelectiveScan.Sequence(
                    rows: layout.rows[index], chainGain: layout.sequences[index].chainGain,
                    treeGain: layout.sequences[index].treeGain, tree: tree(of: index),
                    initialState: initialState(of: index), finalState: finalState(of: index))
            }
        }
        set {
            layout = BatchLayout(
                newValue.map {
                    .init(length: $0.rows.count, chainGain: $0.chainGain, treeGain: $0.treeGain)
                })
            trees = newValue.map(\.tree)
            initialStates = newValue.map(\.initialState)
            finalStates = newValue.map(\.finalState)
        }
    }
}
