import TestSupport
import Testing
import TreeTopology

@Suite("Rooted tree")
struct RootedTreeTests {
    @Test("by hand: parents from the root, the largest subtree first")
    func byHand() throws {
        //     4
        //    / \
        //   0   2 - 1
        //        \
        //         3
        let topology = try RootedTree(
            edges: [.init(0, 4), .init(2, 1), .init(4, 2), .init(3, 2)], vertexCount: 5, root: 4)
        #expect(topology.parent == [4, 2, 4, 2, -1])
        #expect(topology.order.last == 4)
        #expect(topology.order.firstIndex(of: 0) == 3)
    }

    @Test("every child comes before its parent and every vertex once", arguments: 0..<20)
    func childrenComeFirst(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...80, using: &generator)
        var edges = (1..<max(count, 1)).map {
            NeighborGraph.Edge(Int32($0), Int32.random(in: 0..<Int32($0), using: &generator))
        }
        edges.shuffle(using: &generator)
        let root = Int32.random(in: 0..<Int32(count), using: &generator)
        let topology = try RootedTree(edges: edges, vertexCount: count, root: root)
        var place = [Int](repeating: -1, count: count)
        for (index, vertex) in topology.order.enumerated() { place[Int(vertex)] = index }
        #expect(place.allSatisfy { $0 >= 0 })
        for vertex in 0..<count where vertex != root {
            #expect(place[vertex] < place[Int(topology.parent[vertex])])
        }
        #expect(topology.parent[Int(root)] == -1)
        let joined = Set(edges.map { [$0.a, $0.b].sorted() })
        let hung = topology.parent.enumerated().filter { $0.element >= 0 }
        #expect(Set(hung.map { [Int32($0.offset), $0.element].sorted() }) == joined)
    }

    @Test("a path of many vertices needs no recursion")
    func longPath() throws {
        let edges = (1..<100_000).map { NeighborGraph.Edge(Int32($0), Int32($0 - 1)) }
        let topology = try RootedTree(edges: edges, vertexCount: 100_000, root: 99_999)
        #expect(topology.order == (0..<100_000).map(Int32.init))
    }

    @Test("the rules differ in whose decay an edge has")
    func transitions() throws {
        func tree(_ transition: EdgeTransition) throws -> RootedTree {
            try RootedTree(
                edges: [.init(0, 2), .init(1, 2), .init(0, 3)], vertexCount: 4, root: 3,
                transition: transition)
        }
        #expect(try tree(.successor).parent == [3, 2, 0, -1])
        #expect(try tree(.successor).transition.prefix(3) == [1, 2, 3])
        #expect(try tree(.parent).transition.prefix(3) == [3, 2, 0])
        #expect(try tree(.child).transition.prefix(3) == [0, 1, 2])
    }

    @Test("edges that are no tree are refused")
    func notATree() {
        #expect(throws: TreeTopologyError.unreachable(count: 1)) {
            try RootedTree(
                edges: [.init(0, 1), .init(1, 2), .init(2, 0)], vertexCount: 4, root: 0)
        }
        #expect(throws: TreeTopologyError.unreachable(count: 2)) {
            try RootedTree(edges: [.init(0, 1), .init(2, 2)], vertexCount: 3, root: 2)
        }
        #expect(throws: TreeTopologyError.unreachable(count: 1)) {
            try RootedTree(edges: [.init(0, 1), .init(1, 0)], vertexCount: 3, root: 0)
        }
        #expect(throws: TreeTopologyError.edgeCount(edges: 1, vertexCount: 3)) {
            try RootedTree(edges: [.init(0, 1)], vertexCount: 3, root: 0)
        }
        #expect(throws: TreeTopologyError.rootOutOfRange(root: 3, vertexCount: 3)) {
            try RootedTree(edges: [.init(0, 1), .init(1, 2)], vertexCount: 3, root: 3)
        }
        #expect(throws: TreeTopologyError.edgeOutOfRange(edge: 1, vertexCount: 3)) {
            try RootedTree(edges: [.init(0, 1), .init(1, 3)], vertexCount: 3, root: 0)
        }
        #expect(
            "\(TreeTopologyError.unreachable(count: 2))"
                == "2 vertices cannot be reached from the root")
    }
}
