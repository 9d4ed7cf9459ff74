/// A rooted tree over the first tokens of a sequence, in the form the scan reads.
///
/// Positions count from the start of the sequence. Knows nothing of how the tree was found.
public struct ScanTree: Equatable, Sendable {
    /// The parent of each vertex; -1 for the root.
    public let parent: [Int32]
    /// All vertices, every child before its parent; the last is the root.
    public let order: [Int32]
    /// For each vertex, the position whose decay weighs the edge to its parent; unused at the root.
    public let transition: [Int32]
    /// The same for the kernels; made once for the forward and the backward pass.
    let plan: ScanPlan

    /// Groups the arrays, which must have the same count, at least 1, and describe one tree.
    ///
    /// - Complexity: O(*n*), where *n* is the number of vertices.
    public init(parent: [Int32], order: [Int32], transition: [Int32]) {
        precondition(
            parent.count == order.count && parent.count == transition.count,
            "\(parent.count) parents, \(order.count) places, \(transition.count) transitions")
        (self.parent, self.order, self.transition) = (parent, order, transition)
        plan = ScanPlan(parent: parent, order: order, transition: transition)
    }

    /// The number of vertices.
    public var count: Int { parent.count }

    /// Whether the arrays are the same.
    public static func == (left: ScanTree, right: ScanTree) -> Bool {
        left.parent == right.parent && left.order == right.order
            && left.transition == right.transition
    }
}
