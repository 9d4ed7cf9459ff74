import Glibc

/// The minimum spanning tree of a graph, or forest if the graph is not connected.
///
/// Edges are ordered by weight and, where weights are equal, by their place in the list. That order
/// is total, so the tree is unique and does not depend on the algorithm.
///
/// Source: Xiao et al. 2024, "MambaTree", section 3.2. The paper takes Borůvka's algorithm; a stable
/// sort and Kruskal's give the same tree.
public struct SpanningTree: Equatable, Sendable {
    /// The chosen edges by their place in the list, lightest first.
    public let edges: [Int32]

    /// Finds the tree.
    ///
    /// - Parameters:
    ///   - graph: The graph.
    ///   - weights: One weight an edge; NaN is heavier than any number.
    /// - Complexity: O(*e*), where *e* is the number of edges: a radix sort of three passes, then one
    ///   pass of nearly constant steps.
    public init(_ graph: NeighborGraph, weights: [Float]) {
        precondition(
            weights.count == graph.edges.count,
            "\(weights.count) weights for \(graph.edges.count) edges")
        let order = stableOrder(weights)
        var components = Components(count: graph.vertexCount)
        var chosen: [Int32] = []
        let wanted = max(graph.vertexCount - 1, 0)
        chosen.reserveCapacity(wanted)
        for index in order where chosen.count < wanted {
            let edge = graph.edges[Int(index)]
            if components.join(edge.a, edge.b) { chosen.append(index) }
        }
        edges = chosen
    }

    /// The weight of an edge between two tokens: `exp(-cosine)`, in single precision.
    ///
    /// The exponential rounds some different cosines to one weight, and the order of equal weights
    /// is that of the list; so trees are built from weights, never from cosines.
    public static func weight(cosine: Float) -> Float { expf(-cosine) }
}

/// The places of `weights` from light to heavy; equal weights keep their order.
private func stableOrder(_ weights: [Float]) -> [Int32] {
    let count = weights.count
    // The sign bit of a positive float, and all bits of a negative one, flipped: then the bits order
    // as the numbers do. Both zeros are one number, and all NaN one that is heavier than the rest.
    var keys = weights.map { weight -> UInt32 in
        guard !weight.isNaN else { return .max }
        let bits = (weight + 0).bitPattern
        return bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
    }
    var order = (0..<Int32(count)).map { $0 }
    var (otherKeys, otherOrder) = (keys, order)
    for shift in stride(from: UInt32(0), to: 33, by: 11) {
        var starts = [Int](repeating: 0, count: 2049)
        for key in keys { starts[Int(key >> shift & 2047) + 1] += 1 }
        if starts.contains(count) { continue }
        for digit in 1...2048 { starts[digit] += starts[digit - 1] }
        for index in 0..<count {
            let digit = Int(keys[index] >> shift & 2047)
            otherKeys[starts[digit]] = keys[index]
            otherOrder[starts[digit]] = order[index]
            starts[digit] += 1
        }
        swap(&keys, &otherKeys)
        swap(&order, &otherOrder)
    }
    return order
}

/// Sets of vertices that are joined so far.
private struct Components {
    private var above: [Int32]
    private var size: [Int32]

    init(count: Int) {
        above = (0..<Int32(count)).map { $0 }
        size = [Int32](repeating: 1, count: count)
    }

    private mutating func representative(_ vertex: Int32) -> Int32 {
        var vertex = vertex
        while above[Int(vertex)] != vertex {
            above[Int(vertex)] = above[Int(above[Int(vertex)])]
            vertex = above[Int(vertex)]
        }
        return vertex
    }

    /// Joins the sets of two vertices; false if they were one.
    mutating func join(_ a: Int32, _ b: Int32) -> Bool {
        var (a, b) = (representative(a), representative(b))
        guard a != b else { return false }
        if size[Int(a)] < size[Int(b)] { swap(&a, &b) }
        above[Int(b)] = a
        size[Int(a)] += size[Int(b)]
        return true
    }
}
