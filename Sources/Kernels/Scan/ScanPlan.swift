import CKernels

/// The steps of one tree's scan, from the leaves to the root, in the form the C kernel reads.
///
/// A vertex with children finds their sum in a slot and frees it; a vertex without needs none. So
/// as many slots are in use as there are vertices with some, but not all, of their children done:
/// on an order that finishes the largest subtree first, at most log2 of the number of vertices.
struct ScanPlan {
    private(set) var steps: [mtl_scan_step] = []
    private(set) var slots = 0

    /// The plan of a sequence without a tree.
    init() {}

    /// Lays out a tree's states.
    ///
    /// - Complexity: O(*n*), where *n* is the number of vertices.
    init(_ tree: ScanTree) {
        let count = tree.count
        steps.reserveCapacity(count)
        var slot = [Int32](repeating: -1, count: count)
        var free: [Int32] = []
        for vertex in tree.order {
            let parent = tree.parent[Int(vertex)]
            let source = slot[Int(vertex)]
            var (target, opens) = (Int32(-1), false)
            if source >= 0 { free.append(source) }
            if parent >= 0 {
                opens = slot[Int(parent)] < 0
                if opens { slot[Int(parent)] = free.popLast() ?? newSlot() }
                target = slot[Int(parent)]
            }
            steps.append(
                mtl_scan_step(
                    vertex: vertex, parent: parent, transition: tree.transition[Int(vertex)],
                    source: source, target: target, opens: opens ? 1 : 0))
        }
    }

    private mutating func newSlot() -> Int32 {
        slots += 1
        return Int32(slots - 1)
    }
}

extension ScanTree {
    /// Stops unless the arrays describe one tree over the first tokens of a sequence.
    ///
    /// The kernels index memory by these numbers, so a wrong tree must not get that far.
    func check(length: Int) {
        precondition(
            count >= 1 && count <= length, "a tree of \(count) tokens in a sequence of \(length)")
        var placed = [Bool](repeating: false, count: count)
        for (place, vertex) in order.enumerated() {
            precondition(
                vertex >= 0 && vertex < count && !placed[Int(vertex)],
                "place \(place) of the order holds vertex \(vertex), out of range or a second time")
            placed[Int(vertex)] = true
            let (parent, transition) = (parent[Int(vertex)], transition[Int(vertex)])
            if place == count - 1 {
                precondition(
                    parent == -1 && vertex == count - 1,
                    "the order ends with vertex \(vertex), expected the root \(count - 1)")
            } else {
                precondition(
                    parent >= 0 && parent < count && !placed[Int(parent)],
                    "vertex \(vertex) comes after its parent \(parent)")
                precondition(
                    transition >= 0 && transition < count,
                    "vertex \(vertex) has transition \(transition) in a tree of \(count)")
            }
        }
    }
}
