import Testing
import TreeTopology

@Suite("Neighbor graph")
struct NeighborGraphTests {
    @Test("three neighbours give the released list, tail included", arguments: 3...9)
    func releasedOrder(promptLength: Int) {
        // The released list, written on the reversed sequence.
        var released: [(Int, Int)] = []
        for i in 0..<promptLength - 3 { released += [(i, i + 1), (i, i + 2), (i, i + 3)] }
        let last = promptLength - 1
        released += [(last - 2, last - 1), (last - 2, last), (last - 1, last)]
        let graph = NeighborGraph(promptLength: promptLength, neighbors: 3)
        #expect(graph.vertexCount == promptLength)
        #expect(graph.edges == released.map { .init(Int32(last - $0.0), Int32(last - $0.1)) })
    }

    @Test("more neighbours than tokens join every pair once")
    func completeGraph() {
        let graph = NeighborGraph(promptLength: 5, neighbors: 100)
        #expect(graph.edges.count == 10)
        #expect(Set(graph.edges.map { [$0.a, $0.b].sorted() }).count == 10)
        #expect(NeighborGraph(promptLength: 1, neighbors: 3).edges.isEmpty)
        #expect(NeighborGraph(promptLength: 0, neighbors: 3).edges.isEmpty)
    }

    @Test("an edge to nowhere is refused")
    func edgeOutOfRange() {
        #expect(throws: TreeTopologyError.edgeOutOfRange(edge: 1, vertexCount: 2)) {
            try NeighborGraph(vertexCount: 2, edges: [.init(0, 1), .init(1, 2)])
        }
        #expect(throws: TreeTopologyError.edgeOutOfRange(edge: 0, vertexCount: 2)) {
            try NeighborGraph(vertexCount: 2, edges: [.init(-1, 1)])
        }
    }
}
