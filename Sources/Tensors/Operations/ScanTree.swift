import TreeTopology

/// A rooted tree over the first tokens of a sequence, as a scan reads it.
///
/// Positions count from the start of the sequence. An engine that found the tree may still be at work: whoever
/// reads the links waits, the engine's own scan does not.
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
        (self.links, self.count, self.prepared) = (links, count, prepared)
    }

    /// Wraps a tree that is known.
    public convenience init(_ tree: RootedTree) {
        self.init(Deferred(tree), count: tree.parent.count)
    }

    /// The tree itself; waits.
    public var tree: RootedTree { links.value }
    /// The parent of each vertex; -1 for the root.
    public var parent: [Int32] { tree.parent }
    /// All vertices, every child before its parent; the last is the root.
    public var order: [Int32] { tree.order }
    /// For each vertex, the position whose decay weighs the edge to its parent; unused at the root.
    public var transition: [Int32] { tree.transition }
}
