import CKernels
import Tensors
import TreeTopology

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

    /// Lays out a tree's states; stops unless the arrays describe one tree.
    ///
    /// The kernels index memory by these numbers, so a wrong tree must not get that far.
    init(_ tree: RootedTree) {
        let (parent, order, transition) = (tree.parent, tree.order, tree.transition)
        let count = parent.count
        precondition(count >= 1, "a tree of no tokens")
        steps = .allocate(capacity: count)
        // -1 before a vertex has met a child, -2 once it is placed.
        var slot = [Int32](repeating: -1, count: count)
        var (free, slots) = ([Int32](), Int32(0))
        for (place, vertex) in order.enumerated() {
            precondition(
                vertex >= 0 && vertex < count && slot[Int(vertex)] != -2,
                "place \(place) of the order holds vertex \(vertex), out of range or a second time")
            let (above, source) = (parent[Int(vertex)], slot[Int(vertex)])
            slot[Int(vertex)] = -2
            if source >= 0 { free.append(source) }
            var (target, opens) = (Int32(-1), false)
            if place == count - 1 {
                precondition(
                    above == -1 && vertex == count - 1,
                    "the order ends with vertex \(vertex), expected the root \(count - 1)")
            } else {
                precondition(
                    above >= 0 && above < count && slot[Int(above)] != -2,
                    "vertex \(vertex) comes after its parent \(above)")
                precondition(
                    transition[Int(vertex)] >= 0 && transition[Int(vertex)] < count,
                    "vertex \(vertex) has transition \(transition[Int(vertex)]) in a tree of \(count)"
                )
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
