import CKernels
import Tensors
import TreeTopology

extension CPUEngine {
    /// Finds the trees of sequences side by side, from the cosines of all edges at once.
    public func spanningTrees(_ x: SelectiveScan.Inputs) -> [ScanTree?] {
        guard x.layout.hasTrees else { return [] }
        let edges = BatchEdges.of(x.layout)
        let cosines = stateInputCosines(x, edges: edges.all)
        var trees = [ScanTree?](repeating: nil, count: x.layout.sequences.count)
        trees.withUnsafeMutableBufferPointer { trees in
            pool.run(trees.count) { index, _ in
                let sequence = x.layout.sequences[index]
                trees[index] = sequence.graph.map { graph in
                    let weights = cosines[edges.places[index]].map(SpanningTree.weight(cosine:))
                    let tree = SpanningTree(graph, weights: weights)
                    let root = sequence.root ?? Int32(graph.vertexCount + graph.tail - 1)
                    return ScanTree(rooted(tree, of: graph, at: root, x.layout.transition))
                }
            }
        }
        return trees
    }

    private func rooted(
        _ tree: SpanningTree, of graph: NeighborGraph, at root: Int32,
        _ transition: EdgeTransition
    ) -> RootedTree {
        do {
            return try RootedTree(tree, of: graph, root: root, transition: transition)
        } catch {
            preconditionFailure("a graph has no tree of this root: \(error)")
        }
    }
}

/// The edges of all graphs of a batch, made at the first layer.
private final class BatchEdges {
    /// Pairs of rows of the batch, graph after graph.
    let all: [(Int32, Int32)]
    /// Where those of each sequence are.
    let places: [Range<Int>]

    static func of(_ layout: BatchLayout) -> BatchEdges {
        if let edges = layout.prepared as? BatchEdges { return edges }
        let edges = BatchEdges(layout)
        layout.prepared = edges
        return edges
    }

    private init(_ layout: BatchLayout) {
        var all: [(Int32, Int32)] = []
        places = zip(layout.sequences, layout.rows).map { sequence, rows in
            let (start, first) = (all.count, Int32(rows.lowerBound))
            for edge in sequence.graph?.edges ?? [] { all.append((edge.a + first, edge.b + first)) }
            return start..<all.count
        }
        self.all = all
    }
}

extension CPUEngine {
    /// The cosines that weigh edges: see ``Engine/spanningTrees(_:)``.
    ///
    /// - Parameters:
    ///   - x: The operands; of them `u`, `step` and `B` are read.
    ///   - edges: Pairs of rows of the batch.
    /// - Returns: One cosine a pair.
    public func stateInputCosines(
        _ x: SelectiveScan.Inputs, edges: [(Int32, Int32)]
    ) -> [Float] {
        x.checkShapes()
        // Neighbours come one after the other, so that a stretch of edges needs few rows at a time.
        let stretch = 4096
        return stride(from: 0, to: edges.count, by: stretch).flatMap {
            stateInputCosines(x, stretch: edges[$0..<min($0 + stretch, edges.count)])
        }
    }

    private func stateInputCosines(
        _ x: SelectiveScan.Inputs, stretch edges: ArraySlice<(Int32, Int32)>
    ) -> [Float] {
        guard let first = edges.first else { return [] }
        var (lowest, highest) = (min(first.0, first.1), max(first.0, first.1))
        for (a, b) in edges {
            lowest = min(lowest, a, b)
            highest = max(highest, a, b)
        }
        precondition(
            lowest >= 0 && highest < x.tokens,
            "edges join rows \(lowest) to \(highest) of \(x.tokens)")
        let rows = Int(lowest)..<Int(highest) + 1
        return switch scanKernel {
        case .fused: fusedCosines(x, edges: edges, rows: rows)
        case .blas: blasCosines(x, edges: edges, rows: rows)
        }
    }

    /// Forms the products `delta * u` and all norms once, then takes one dot product an edge.
    private func fusedCosines(
        _ x: SelectiveScan.Inputs, edges: ArraySlice<(Int32, Int32)>, rows: Range<Int>
    ) -> [Float] {
        var joined = [Bool](repeating: false, count: rows.count)
        for (a, b) in edges {
            joined[Int(a) - rows.lowerBound] = true
            joined[Int(b) - rows.lowerBound] = true
        }
        // The kernel counts rows from the batch's first, the memory starts at the first one used.
        let memory = scratch(worker: pool.threads, floats: rows.count * (x.inner + 2))
        let inputs = mtl_state_inputs(
            u: x.u.matrix(), step: x.step.matrix(), B: x.B.matrix(), inner: x.inner,
            state: x.state, input: memory - rows.lowerBound * x.inner,
            reciprocals: memory + rows.count * x.inner - 2 * rows.lowerBound)
        return withUnsafePointer(to: inputs) { inputs in
            divide(rows.count, by: 16) { part, _ in
                for row in part where joined[row] {
                    mtl_form_state_input(isa, inputs, rows.lowerBound + row)
                }
            }
            return [Float](unsafeUninitializedCapacity: edges.count) { cosines, filled in
                edges.withUnsafeBytes { pairs in
                    let pairs = pairs.bindMemory(to: Int32.self)
                    guard let pairs = pairs.baseAddress, let result = cosines.baseAddress else {
                        return
                    }
                    divide(edges.count, by: 64) { part, _ in
                        mtl_state_input_cosines(
                            isa, inputs, pairs + 2 * part.lowerBound, part.count,
                            result + part.lowerBound)
                    }
                }
                filled = edges.count
            }
        }
    }

    /// Dot products by BLAS over the products `delta * u`, which are formed once.
    private func blasCosines(
        _ x: SelectiveScan.Inputs, edges: ArraySlice<(Int32, Int32)>, rows: Range<Int>
    ) -> [Float] {
        let (inner, state, blas) = (x.inner, x.state, blas)
        let inputs = scratch(worker: pool.threads, floats: rows.count * inner)
        for row in rows {
            let u = x.u.base + row * x.u.rowStride
            let input = inputs + (row - rows.lowerBound) * inner
            mtl_apply(isa, MTL_SOFTPLUS, x.step.base + row * x.step.rowStride, input, inner)
            for d in 0..<inner { input[d] *= u[d] }
        }
        func cosine(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
            let count = Int32(count)
            let norms = blas.norm(count, a, 1) * blas.norm(count, b, 1)
            return norms == 0 ? 0 : blas.dot(count, a, 1, b, 1) / norms
        }
        return edges.map { a, b in
            let (first, second) = (Int(a), Int(b))
            return cosine(
                inputs + (first - rows.lowerBound) * inner,
                inputs + (second - rows.lowerBound) * inner, inner)
                * cosine(
                    x.B.base + first * x.B.rowStride, x.B.base + second * x.B.rowStride, state)
        }
    }
}
