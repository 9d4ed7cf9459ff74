import TestSupport
import Testing
import TreeTopology

@Suite("Spanning tree")
struct SpanningTreeTests {
    @Test("by hand: a square with one diagonal")
    func byHand() throws {
        let graph = try NeighborGraph(
            vertexCount: 4,
            edges: [.init(0, 1), .init(1, 2), .init(2, 3), .init(3, 0), .init(0, 2)])
        // 0-2 is lightest, then 2-3; 3-0 would close a cycle; 1 hangs on its lighter edge.
        #expect(SpanningTree(graph, weights: [0.9, 0.8, 0.2, 0.3, 0.1]).edges == [4, 2, 1])
    }

    @Test("among equal weights the edge that comes first wins")
    func ties() throws {
        let graph = NeighborGraph(promptLength: 5, neighbors: 3)
        let weights = [Float](repeating: 0.5, count: graph.edges.count)
        #expect(SpanningTree(graph, weights: weights).edges == [0, 1, 2, 5])
    }

    @Test("Borůvka's algorithm finds the same tree, with many ties", arguments: 0..<40)
    func sameAsBoruvka(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...60, using: &generator)
        let neighbors = Int.random(in: 1...5, using: &generator)
        let graph = NeighborGraph(promptLength: count, neighbors: neighbors)
        let levels: Float = seed.isMultiple(of: 2) ? 3 : 1_000_000
        let weights = graph.edges.map { _ in
            Float.random(in: -levels...levels, using: &generator).rounded() / levels
        }
        let tree = SpanningTree(graph, weights: weights)
        #expect(tree.edges.count == count - 1)
        #expect(tree.edges.sorted() == boruvka(graph, weights))
    }

    @Test("a grid of patches gives a tree too")
    func grid() throws {
        var generator = SeededGenerator(seed: 1)
        let (rows, columns) = (5, 7)
        var edges: [NeighborGraph.Edge] = []
        for row in 0..<rows {
            for column in 0..<columns {
                let vertex = Int32(row * columns + column)
                if column + 1 < columns { edges.append(.init(vertex, vertex + 1)) }
                if row + 1 < rows { edges.append(.init(vertex, vertex + Int32(columns))) }
            }
        }
        let graph = try NeighborGraph(vertexCount: rows * columns, edges: edges)
        let weights = edges.map { _ in Float.random(in: 0...1, using: &generator) }
        let tree = SpanningTree(graph, weights: weights)
        #expect(tree.edges.sorted() == boruvka(graph, weights))
        #expect(try RootedTree(tree, of: graph, root: 17).order.last == 17)
    }

    @Test("NaN is heavier than infinity, both zeros are equal, negatives come first")
    func unusualWeights() throws {
        let graph = try NeighborGraph(
            vertexCount: 3,
            edges: [.init(0, 1), .init(1, 2), .init(0, 2), .init(0, 1), .init(1, 2)])
        #expect(SpanningTree(graph, weights: [.nan, .nan, .nan, .nan, .nan]).edges == [0, 1])
        #expect(SpanningTree(graph, weights: [-.nan, .nan, .infinity, .nan, 1]).edges == [4, 2])
        #expect(SpanningTree(graph, weights: [0, -0.0, 1, -1, 1]).edges == [3, 1])
        #expect(SpanningTree(graph, weights: [0, -0.0, 1, 1, 1]).edges == [0, 1])
    }

    @Test("a graph in two pieces gives a forest")
    func forest() throws {
        let graph = try NeighborGraph(vertexCount: 4, edges: [.init(0, 1), .init(2, 3)])
        #expect(SpanningTree(graph, weights: [1, 2]).edges == [0, 1])
    }
}

/// Borůvka's algorithm as the paper describes it: every component takes its lightest edge.
private func boruvka(_ graph: NeighborGraph, _ weights: [Float]) -> [Int32] {
    var component = Array(0..<graph.vertexCount)
    var chosen: Set<Int32> = []
    while Set(component).count > 1 {
        var best: [Int: Int] = [:]
        for (index, edge) in graph.edges.enumerated() {
            let ends = (component[Int(edge.a)], component[Int(edge.b)])
            guard ends.0 != ends.1 else { continue }
            for end in [ends.0, ends.1] {
                if let held = best[end], weights[held] <= weights[index] { continue }
                best[end] = index
            }
        }
        for index in Set(best.values).sorted() {
            let edge = graph.edges[index]
            let (from, to) = (component[Int(edge.a)], component[Int(edge.b)])
            guard from != to else { continue }
            chosen.insert(Int32(index))
            component = component.map { $0 == from ? to : $0 }
        }
    }
    return chosen.sorted()
}
