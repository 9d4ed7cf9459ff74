import TreeTopology

/// How the sequences of a batch lie and how states flow in them: what is the same in every layer.
///
/// Made once a batch. What an engine makes of it, such as index tables where it wants them, is kept with it, so the
/// layers after the first find it there.
public final class BatchLayout {
    /// One sequence.
    public struct Sequence {
        /// The number of its tokens.
        public var length: Int
        /// The weight of the chain's state.
        public var chainGain: Float
        /// The weight of the tree's state.
        public var treeGain: Float
        /// The graph over the first tokens of which every layer takes a spanning tree; `nil` where that would be the
        /// chain.
        public var graph: NeighborGraph?
        /// The vertex that the tree is rooted at; `nil` for the last.
        public var root: Int32?

        /// Describes one sequence; by default a plain chain.
        public init(
            length: Int, chainGain: Float = 1, treeGain: Float = 0, graph: NeighborGraph? = nil,
            root: Int32? = nil
        ) {
            self.length = length
            self.chainGain = chainGain
            self.treeGain = treeGain
            self.graph = graph
            self.root = root
        }
    }

    /// The sequences, in order.
    public let sequences: [Sequence]
    /// Where each lies: one after the other, without gaps.
    public let rows: [Range<Int>]
    /// Whose decay weighs an edge of the spanning trees.
    public let transition: EdgeTransition
    /// What an engine made of the layout when it first met it.
    package var prepared: AnyObject?

    /// Lays sequences out.
    public init(_ sequences: [Sequence], transition: EdgeTransition = .successor) {
        self.sequences = sequences
        self.transition = transition
        var end = 0
        rows = sequences.map { sequence in
            defer { end += sequence.length }
            return end..<end + sequence.length
        }
    }

    /// The number of rows of the whole batch.
    public var tokens: Int { rows.last?.upperBound ?? 0 }
    /// Whether a sequence has a tree.
    public var hasTrees: Bool { sequences.contains { $0.graph != nil } }
}

/// A rooted tree over the first tokens of a sequence, where an engine scans along it.
///
/// An engine that found the tree may still be at work: whoever reads ``tree`` waits, the engine's own scan does not.
public final class ScanTree {
    /// The number of vertices.
    public let count: Int
    private let links: Deferred<RootedTree>
    /// What an engine keeps of the tree to scan along it.
    package var prepared: AnyObject?

    /// Wraps a tree that an engine found.
    ///
    /// - Parameters:
    ///   - links: The tree.
    ///   - count: The number of its vertices.
    ///   - prepared: What the engine keeps of it.
    public init(_ links: Deferred<RootedTree>, count: Int, prepared: AnyObject? = nil) {
        self.links = links
        self.count = count
        self.prepared = prepared
    }

    /// Wraps a tree that is known.
    public convenience init(_ tree: RootedTree) {
        self.init(Deferred(tree), count: tree.parent.count)
    }

    /// The tree itself, its vertices counted from the start of the sequence; waits.
    public var tree: RootedTree { links.value }
}

/// Numbers of rows to look up or to add to, made once a batch and read in every layer.
public final class RowIndices: ExpressibleByArrayLiteral {
    /// The numbers.
    public let values: [Int32]
    /// What an engine made of them when it first met them.
    package var prepared: AnyObject?

    /// Keeps numbers.
    public init(_ values: [Int32]) { self.values = values }

    /// Keeps numbers.
    public convenience init(arrayLiteral elements: Int32...) { self.init(elements) }

    /// How many there are.
    public var count: Int { values.count }
}
