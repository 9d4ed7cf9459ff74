/// A rooted tree over the vertices of a graph.
///
/// Source: Xiao et al. 2024, "MambaTree", section 3.2. The order differs from the paper's reversed
/// breadth-first one: any order with children before parents gives the same states, and one that
/// finishes the largest subtree first keeps the fewest of them waiting.
public struct RootedTree: Equatable, Sendable {
    /// The parent of each vertex; -1 for the root.
    public let parent: [Int32]
    /// All vertices, children before parents, the children with the largest subtrees first; the
    /// last is the root.
    public let order: [Int32]
    /// For each vertex, the one whose decay weighs the edge to its parent; unused at the root.
    public let transition: [Int32]

    /// The vertex that all others flow to.
    public var root: Int32 { order[order.count - 1] }

    /// Groups the arrays; stops unless they describe one tree.
    ///
    /// Kernels index memory by these numbers, so a wrong tree must not get that far.
    ///
    /// - Parameters:
    ///   - parent: The parent of each vertex, -1 for the root; at least one vertex.
    ///   - order: All vertices, children before parents.
    ///   - transition: For each vertex, the one whose decay weighs the edge to its parent.
    public init(parent: [Int32], order: [Int32], transition: [Int32]) {
        let count = parent.count
        precondition(
            count > 0 && count == order.count && count == transition.count,
            "\(count) parents, \(order.count) places, \(transition.count) transitions")
        var isPlaced = [Bool](repeating: false, count: count)
        for (place, vertex) in order.enumerated() {
            precondition(
                vertex >= 0 && vertex < count && !isPlaced[Int(vertex)],
                "place \(place) of the order holds vertex \(vertex), out of range or a second time")
            isPlaced[Int(vertex)] = true
            let (above, source) = (parent[Int(vertex)], transition[Int(vertex)])
            guard place < count - 1 else {
                precondition(above == -1, "the order ends with vertex \(vertex), not with the root")
                continue
            }
            precondition(
                above >= 0 && above < count && !isPlaced[Int(above)],
                "vertex \(vertex) comes after its parent \(above)")
            precondition(
                source >= 0 && source < count,
                "vertex \(vertex) has transition \(source) in a tree of \(count)")
        }
        self.parent = parent
        self.order = order
        self.transition = transition
    }

    /// Hangs the edges of a tree from a root.
    ///
    /// - Parameters:
    ///   - edges: Joined vertices, in any order.
    ///   - vertexCount: The number of vertices, at least 1.
    ///   - root: The vertex that all others flow to.
    ///   - transition: Whose decay weighs an edge.
    /// - Throws: ``TreeTopologyError`` if the edges are not one tree.
    /// - Complexity: O(*n*), where *n* is the number of vertices.
    public init(
        edges: [NeighborGraph.Edge], vertexCount: Int, root: Int32,
        transition: EdgeTransition = .successor
    ) throws {
        guard root >= 0, root < vertexCount else {
            throw TreeTopologyError.rootOutOfRange(root: Int(root), vertexCount: vertexCount)
        }
        guard edges.count == vertexCount - 1 else {
            throw TreeTopologyError.edgeCount(edges: edges.count, vertexCount: vertexCount)
        }
        let links = try Links(edges, vertexCount: vertexCount)
        var parent = [Int32](repeating: -1, count: vertexCount)
        var outwards: [Int32] = [root]
        outwards.reserveCapacity(vertexCount)
        var next = 0
        while next < outwards.count {
            let vertex = outwards[next]
            next += 1
            for other in links[vertex] where other != parent[Int(vertex)] {
                // Of a tree, every vertex is met once; a cycle would meet one again.
                guard other != root, parent[Int(other)] < 0 else { continue }
                parent[Int(other)] = vertex
                outwards.append(other)
            }
        }
        guard outwards.count == vertexCount else {
            throw TreeTopologyError.unreachable(count: vertexCount - outwards.count)
        }
        let last = Int32(vertexCount - 1)
        let transitions: [Int32] =
            switch transition {
            // The last vertex has no successor; where it is the root it has no edge either.
            case .successor: parent.indices.map { min(Int32($0) + 1, last) }
            case .parent: parent.map { max($0, 0) }
            case .child: parent.indices.map { Int32($0) }
            }
        self.init(
            parent: parent, order: largestFirst(outwards: outwards, parent: parent),
            transition: transitions)
    }

    /// Hangs a graph's spanning tree from a root, with the graph's tail.
    ///
    /// - Throws: ``TreeTopologyError`` if the graph is not connected.
    public init(
        _ tree: SpanningTree, of graph: NeighborGraph, root: Int32,
        transition: EdgeTransition = .successor
    ) throws {
        let tail = (graph.vertexCount..<graph.vertexCount + graph.tail).map {
            NeighborGraph.Edge(Int32($0), Int32($0 - 1))
        }
        try self.init(
            edges: tree.edges.map { graph.edges[Int($0)] } + tail,
            vertexCount: graph.vertexCount + graph.tail, root: root, transition: transition)
    }
}

/// Which token's decay weighs the edge from a vertex to its parent.
public enum EdgeTransition: String, CaseIterable, Codable, Sendable {
    /// That of the token after the vertex, whatever the parent is: the released code.
    case successor
    /// That of the parent: the paper's formula. On a chain it is the same as ``successor``.
    case parent
    /// That of the vertex itself: another reading of the paper's text. On a chain it is not Mamba.
    case child
}

/// The neighbours of each vertex, in one array.
private struct Links {
    private var starts: [Int32]
    private var ends: [Int32]

    init(_ edges: [NeighborGraph.Edge], vertexCount: Int) throws {
        starts = [Int32](repeating: 0, count: vertexCount + 1)
        for (index, edge) in edges.enumerated() {
            guard edge.a >= 0, edge.a < vertexCount, edge.b >= 0, edge.b < vertexCount else {
                throw TreeTopologyError.edgeOutOfRange(edge: index, vertexCount: vertexCount)
            }
            starts[Int(edge.a) + 1] += 1
            starts[Int(edge.b) + 1] += 1
        }
        for vertex in 0..<vertexCount { starts[vertex + 1] += starts[vertex] }
        var free = starts
        ends = [Int32](repeating: 0, count: 2 * edges.count)
        for edge in edges {
            for (from, to) in [(edge.a, edge.b), (edge.b, edge.a)] {
                ends[Int(free[Int(from)])] = to
                free[Int(from)] += 1
            }
        }
    }

    subscript(vertex: Int32) -> ArraySlice<Int32> {
        ends[Int(starts[Int(vertex)])..<Int(starts[Int(vertex) + 1])]
    }
}

/// An order that finishes each subtree before the next and, of siblings, the largest first.
///
/// A subtree's vertices take consecutive places that end with its root, so each child's place
/// follows from the sizes alone and no recursion is needed.
private func largestFirst(outwards: [Int32], parent: [Int32]) -> [Int32] {
    let count = parent.count
    var size = [Int32](repeating: 1, count: count)
    var largest = [Int32](repeating: -1, count: count)
    for vertex in outwards.reversed() {
        let above = Int(parent[Int(vertex)])
        guard above >= 0 else { continue }
        size[above] += size[Int(vertex)]
        let best = largest[above]
        if best < 0 || size[Int(best)] <= size[Int(vertex)] { largest[above] = vertex }
    }
    var (order, place) = (size, size)
    // Where the next of a vertex's subtrees ends; they fill the places before it from the back.
    var end = size
    for vertex in outwards.lazy.map({ Int($0) }) {
        let above = Int(parent[vertex])
        if above < 0 {
            place[vertex] = Int32(count - 1)
        } else if largest[above] == vertex {
            place[vertex] = place[above] - size[above] + size[vertex]
        } else {
            place[vertex] = end[above]
            end[above] -= size[vertex]
        }
        order[Int(place[vertex])] = Int32(vertex)
        end[vertex] = place[vertex] - 1
    }
    return order
}

/// The ways edges or parent links can fail to be one rooted tree.
public enum TreeTopologyError: Error, Equatable {
    /// An edge, by its place in the list, names a vertex that does not exist.
    case edgeOutOfRange(edge: Int, vertexCount: Int)
    /// The root is not a vertex.
    case rootOutOfRange(root: Int, vertexCount: Int)
    /// The edges cannot be a tree: there must be one less than there are vertices.
    case edgeCount(edges: Int, vertexCount: Int)
    /// Some vertices cannot be reached from the root.
    case unreachable(count: Int)
}

extension TreeTopologyError: CustomStringConvertible {
    /// One line that names the numbers.
    public var description: String {
        switch self {
        case .edgeOutOfRange(let edge, let vertexCount):
            "edge \(edge) joins a vertex outside 0..<\(vertexCount)"
        case .rootOutOfRange(let root, let vertexCount):
            "root \(root) is not a vertex, expected one of 0..<\(vertexCount)"
        case .edgeCount(let edges, let vertexCount):
            "\(edges) edges over \(vertexCount) vertices, expected \(max(vertexCount - 1, 0))"
        case .unreachable(let count):
            "\(count) vertices cannot be reached from the root"
        }
    }
}
