import Glibc
import Tensors
import TestSupport
import Testing
import TreeTopology

/// An engine that must do what the protocol says.
struct EngineUnderTest: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Makes one that divides its work by this many.
    let make: @Sendable (_ threads: Int) -> any Engine

    /// Every form of the engine for CPUs, and one whose memory the host cannot reach.
    ///
    /// Another engine joins here.
    static let all: [EngineUnderTest] =
        EngineCase.allForms.map { form in
            EngineUnderTest(testDescription: form.testDescription) { threads in
                var form = form
                form.threads = threads
                return form.engine
            }
        } + [
            EngineUnderTest(testDescription: "guarded memory") {
                GuardedEngine(makeEngine(threads: $0))
            }
        ]
}

/// What every engine promises, whatever it runs on.
///
/// Operands are columns of wider tensors where a layer may pass such. Each test computes on one thread and on three,
/// which must agree to the last bit.
@Suite("Engine conformance")
struct EngineConformanceTests {
    private static let engines = EngineUnderTest.all

    /// Random values on an engine, as columns in the middle of a wider tensor.
    private func strided(
        _ rows: Int, _ columns: Int, on engine: any Engine, seed: UInt64 = 1,
        in range: ClosedRange<Float> = -1...1
    ) -> Tensor {
        var generator = SeededGenerator(seed: seed)
        let view = engine.tensor([rows, columns + 5], repeating: .nan).columns(2..<2 + columns)
        engine.copy(.random([rows, columns], in: range, using: &generator), to: view)
        return view
    }

    /// The same without gaps.
    private func plain(
        _ shape: [Int], on engine: any Engine, seed: UInt64 = 2,
        in range: ClosedRange<Float> = -1...1
    ) -> Tensor {
        var generator = SeededGenerator(seed: seed)
        return engine.reachable(Tensor.random(shape, in: range, using: &generator))
    }

    /// What a computation gives, the same for any number of threads.
    private func values(
        _ engine: EngineUnderTest, _ compute: (any Engine) -> [Tensor]
    ) -> [[Float]] {
        let runs = [1, 3].map { compute(engine.make($0)).map(\.values) }
        #expect(runs[0].map { $0.map(\.bitPattern) } == runs[1].map { $0.map(\.bitPattern) })
        return runs[0]
    }

    /// `left · right` in double precision.
    private func product(_ left: DoubleMatrix, _ right: DoubleMatrix) -> [Double] {
        (0..<left.rows).flatMap { row in
            (0..<right.columns).map { column in
                (0..<left.columns).reduce(0) { $0 + left[row, $1] * right[$1, column] }
            }
        }
    }

    private func transposed(_ x: DoubleMatrix) -> DoubleMatrix {
        var result = DoubleMatrix(rows: x.columns, columns: x.rows)
        for row in 0..<x.rows {
            for column in 0..<x.columns { result[column, row] = x[row, column] }
        }
        return result
    }

    @Test("memory: what is written is read, through gaps too", arguments: engines)
    func memory(_ engine: EngineUnderTest) {
        let engine = engine.make(1)
        let x = strided(3, 4, on: engine)
        let copy = engine.copy(x)
        #expect(copy.isContiguous && copy.values == x.values)
        engine.fill(x.rows(1..<2), with: 7)
        #expect(x.values == copy.values[0..<4] + [7, 7, 7, 7] + copy.values[8...])
        x.values = (0..<12).map(Float.init)
        var read: [Float] = []
        x.read(into: &read)
        #expect(read == (0..<12).map(Float.init))
        #expect(engine.rowStride(columns: 3072) >= 3072 && engine.rowStride(columns: 1) >= 1)
        engine.finish()
    }

    @Test("filling reaches every element of any shape, and none beside it", arguments: engines)
    func fill(_ engine: EngineUnderTest) {
        for shape in [[1, 40_000], [3, 20_000], [5000, 7], [0, 4], [1, 1]] {
            let found = values(engine) { engine in
                let whole = engine.tensor([shape[0] + 2, shape[1] + 3], repeating: 1)
                engine.fill(whole.rows(1..<shape[0] + 1).columns(1..<shape[1] + 1), with: 2)
                return [whole, engine.tensor(shape, repeating: 3)]
            }
            let width = shape[1] + 3
            #expect(found[0].reduce(0, +) == Float(found[0].count + shape[0] * shape[1]))
            #expect(found[0].prefix(width + 1).allSatisfy { $0 == 1 })
            #expect(found[0].suffix(width + 2).allSatisfy { $0 == 1 })
            #expect(found[1] == [Float](repeating: 3, count: shape[0] * shape[1]))
        }
    }

    @Test("products, and their gradients", arguments: engines, [3, 70])
    func products(_ engine: EngineUnderTest, depth: Int) {
        let (rows, columns) = (depth / 2, depth - 1)
        let found = values(engine) { engine in
            let x = strided(rows, depth, on: engine)
            let weight = plain([columns, depth], on: engine)
            let addend = strided(rows, columns, on: engine, seed: 3)
            let y = engine.copy(addend)
            // The addend may be the result itself.
            engine.linear(x, weight: weight, bias: nil, adding: y, into: y)
            let biased = engine.tensor([rows, columns])
            engine.linear(
                x, weight: weight, bias: plain([columns], on: engine), adding: nil, into: biased)
            let gradX = strided(rows, depth, on: engine)
            engine.linearInputGradient(addend, weight: weight, adding: gradX, into: gradX)
            let gradWeight = engine.tensor([columns, depth], repeating: 2)
            engine.linearWeightGradient(addend, x: x, into: gradWeight)
            let gradBias = engine.tensor([columns], repeating: 2)
            engine.biasGradient(addend, into: gradBias)
            return [y, biased, gradX, gradWeight, gradBias]
        }
        let host = makeEngine()
        let x = DoubleMatrix(strided(rows, depth, on: host))
        let weight = DoubleMatrix(plain([columns, depth], on: host))
        let up = DoubleMatrix(strided(rows, columns, on: host, seed: 3))
        let bias = plain([columns], on: host).values.map(Double.init)
        let y = product(x, transposed(weight))
        let flat = { (x: DoubleMatrix) in
            (0..<x.rows).flatMap { row in (0..<x.columns).map { x[row, $0] } }
        }
        expectClose(found[0], zip(y, flat(up)).map { $0 + $1 }, within: .singlePrecision)
        expectClose(
            found[1], y.indices.map { y[$0] + bias[$0 % columns] }, within: .singlePrecision)
        expectClose(
            found[2], zip(product(up, weight), flat(x)).map { $0 + $1 }, within: .singlePrecision)
        expectClose(found[3], product(transposed(up), x).map { $0 + 2 }, within: .singlePrecision)
        let sums = (0..<columns).map { c in (0..<rows).reduce(2) { $0 + up[$1, c] } }
        expectClose(found[4], sums, within: .singlePrecision)
    }

    @Test("rows are looked up and added to, in order", arguments: engines)
    func rows(_ engine: EngineUnderTest) {
        let found = values(engine) { engine in
            let table = strided(5, 70, on: engine)
            let gathered = strided(3, 70, on: engine)
            let rows: RowIndices = [4, 0, 4]
            engine.gatherRows(rows, of: table, into: gathered)
            let gradTable = engine.tensor([5, 70], repeating: 0)
            engine.scatterAddRows(gathered, to: rows, of: gradTable)
            return [table, gathered, gradTable]
        }
        let row = { (values: [Float], row: Int) in Array(values[row * 70..<(row + 1) * 70]) }
        #expect(found[1] == row(found[0], 4) + row(found[0], 0) + row(found[0], 4))
        #expect(row(found[2], 4) == row(found[0], 4).map { 2 * $0 })
        #expect(row(found[2], 0) == row(found[0], 0))
        #expect(row(found[2], 2).allSatisfy { $0 == 0 })
    }

    @Test("formats: what is rounded is multiplied by and read as its values", arguments: engines)
    func formats(_ engine: EngineUnderTest) {
        let engine = engine.make(2)
        let values = plain([6, 40], on: engine)
        for format in WeightMatrix.Format.allCases {
            let rounded = engine.rounded(values, to: format)
            let expanded = engine.expanded(rounded)
            expectClose(
                expanded.values, values.values.map(Double.init),
                within: Tolerance(absolute: 0.005, relative: 0.004))
            var bytes = 0
            rounded.forEachBuffer { bytes += $0.count }
            #expect(bytes == rounded.byteCount)
        }
    }

    @Test("norm: aliases and missing gradients change no bit", arguments: engines)
    func norm(_ engine: EngineUnderTest) {
        let found = values(engine) { engine in
            let x = RMSNorm.Inputs(
                x: strided(20, 33, on: engine), weight: plain([33], on: engine), epsilon: 1e-5)
            let gradY = strided(20, 33, on: engine, seed: 4)
            let y = engine.tensor([20, 33])
            engine.normalize(x, into: y)
            let (gradX, gradWeight) = (
                engine.tensor([20, 33]), engine.tensor([33], repeating: 0)
            )
            engine.normalizeBackward(
                x, gradY: gradY, adding: nil, into: .init(x: gradX, weight: gradWeight))
            let alone = engine.copy(gradY)
            engine.normalizeBackward(
                x, gradY: alone, adding: nil, into: .init(x: alone, weight: nil))
            return [y, gradX, alone, x.x]
        }
        #expect(found[1] == found[2])
        let x = found[3]
        let weight = plain([33], on: makeEngine()).values
        let expected = x.indices.map { index -> Double in
            let row = x[index / 33 * 33..<(index / 33 + 1) * 33].map(Double.init)
            let mean = row.reduce(0) { $0 + $1 * $1 } / 33
            return Double(weight[index % 33]) * Double(x[index]) / (mean + 1e-5).squareRoot()
        }
        expectClose(found[0], expected, within: .singlePrecision)
    }

    @Test("convolution: a sequence does not depend on the others", arguments: engines)
    func convolution(_ engine: EngineUnderTest) {
        let found = values(engine) { engine in
            func run(_ rows: Range<Int>, _ lengths: [Int]) -> [Tensor] {
                let x = CausalConvolution.Inputs(
                    x: strided(9, 70, on: engine).rows(rows),
                    weight: plain([70, 1, 4], on: engine),
                    bias: plain([70], on: engine),
                    layout: BatchLayout(lengths.map { .init(length: $0) }))
                let (u, gradX) = (
                    engine.tensor([rows.count, 70]), engine.tensor([rows.count, 70])
                )
                engine.convolve(x, into: u)
                engine.convolveBackward(
                    x, gradU: strided(9, 70, on: engine, seed: 5).rows(rows),
                    into: .init(x: gradX, weight: nil, bias: nil))
                return [u, gradX]
            }
            return run(0..<9, [4, 5]) + run(4..<9, [5])
        }
        #expect(Array(found[0][4 * 70..<9 * 70]) == found[2])
        #expect(Array(found[1][4 * 70..<9 * 70]) == found[3])
    }

    @Test(
        "scan: result, states, gradients without those of the parameters", arguments: engines,
        ScanCase.all)
    func scan(_ engine: EngineUnderTest, scanCase: ScanCase) {
        let host = scanCase.inputs()
        let expected = SelectiveScanReference(host).forward()
        let found = values(engine) { engine in
            let x = placed(host, on: engine)
            let result = engine.tensor(x.u.shape)
            engine.scan(x, into: result)
            let up = plain(x.u.shape, on: engine, seed: 6)
            func gradients(of parameters: Bool) -> SelectiveScan.Gradients {
                let like = { (x: Tensor) in engine.tensor(x.shape, repeating: 0) }
                return SelectiveScan.Gradients(
                    u: like(x.u), step: like(x.step), z: x.z.map(like), gated: x.z.map(like),
                    B: like(x.B), C: like(x.C), A: parameters ? like(x.A) : nil,
                    D: parameters ? like(x.D) : nil)
            }
            let (all, some) = (gradients(of: true), gradients(of: false))
            engine.scanBackward(x, gradResult: up, into: all)
            engine.scanBackward(x, gradResult: up, into: some)
            #expect(some.all.map(\.values) == all.all.dropLast(2).map(\.values))
            // The result may take the place of an operand.
            let inPlace = placed(host, on: engine)
            engine.scan(inPlace, into: inPlace.u)
            return [result, inPlace.u] + x.sequences.compactMap(\.finalState)
        }
        expectClose(found[0], expected.result, within: .singlePrecision)
        #expect(found[1] == found[0])
        for (state, expected) in zip(found.dropFirst(2), expected.finalStates) {
            expectClose(state, expected, within: .singlePrecision)
        }
    }

    private func placed(_ x: SelectiveScan.Inputs, on engine: any Engine) -> SelectiveScan.Inputs {
        SelectiveScan.Inputs(
            u: engine.reachable(x.u.copy()), step: engine.reachable(x.step),
            z: x.z.map { engine.reachable($0) }, A: engine.reachable(x.A),
            B: engine.reachable(x.B), C: engine.reachable(x.C), D: engine.reachable(x.D),
            sequences: x.sequences.map {
                var sequence = $0
                sequence.initialState = $0.initialState.map { engine.reachable($0) }
                sequence.finalState = $0.finalState.map { engine.tensor($0.shape) }
                return sequence
            })
    }

    @Test("trees: tokens hang on their likes, alone as in a batch", arguments: engines)
    func trees(_ engine: EngineUnderTest) {
        let engine = engine.make(2)
        let host = ScanCase(inner: 40, state: 5, lengths: [(14, 0), (9, 0)]).inputs()
        let x = placed(host, on: engine)
        var tail = NeighborGraph(promptLength: 6, neighbors: 2)
        tail.tail = 3
        let graphs = [NeighborGraph(promptLength: 14, neighbors: 3), tail]
        func found(_ rows: Range<Int>, _ graphs: [NeighborGraph?]) -> [ScanTree?] {
            var part = SelectiveScan.Inputs(
                u: x.u.rows(rows), step: x.step.rows(rows), A: x.A, B: x.B.rows(rows),
                C: x.C.rows(rows), D: x.D, layout: BatchLayout([]))
            part.layout = BatchLayout(
                graphs.map { .init(length: $0.map { $0.vertexCount + $0.tail } ?? 14, graph: $0) },
                transition: .parent)
            return engine.spanningTrees(part)
        }
        let trees = found(0..<23, graphs).map { $0?.tree }
        #expect(trees.map { $0?.parent.count } == [14, 9])
        #expect(trees[1]?.parent.suffix(4) == [6, 7, 8, -1])
        #expect(found(14..<23, [tail])[0]?.tree == trees[1])
        #expect(found(0..<14, [nil]).isEmpty)
        // By the definition: the lightest edges that join all.
        let reference = SelectiveScanReference(host)
        func outer(_ t: Int32) -> [Double] {
            (0..<40 * 5).map { reference.input(Int(t), $0 / 5, $0 % 5) }
        }
        func dot(_ a: [Double], _ b: [Double]) -> Double {
            zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let weights = graphs[0].edges.map { edge -> Float in
            let (a, b) = (outer(edge.a), outer(edge.b))
            return Float(exp(-dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()))
        }
        let cosines = engine.stateInputCosines(x, edges: graphs[0].edges.map { ($0.a, $0.b) })
        for (cosine, weight) in zip(cosines, weights) { #expect(abs(exp(-cosine) - weight) < 1e-5) }
        let expected = try? RootedTree(
            SpanningTree(graphs[0], weights: weights), of: graphs[0], root: 13,
            transition: .parent)
        #expect(trees[0]?.parent == expected?.parent)
    }

    @Test("a grid's trees, rooted at any cell, carry what the definition says", arguments: engines)
    func grid(_ engine: EngineUnderTest) {
        for root in [Int32(0), 7, 14] {
            var host = ScanCase(inner: 20, state: 4, lengths: [(17, 0)]).inputs()
            host.layout = BatchLayout(
                [
                    .init(
                        length: 17, chainGain: 0.5, treeGain: 0.7,
                        graph: NeighborGraph(gridRows: 3, columns: 5), root: root)
                ], transition: .parent)
            let found = values(engine) { engine in
                var x = placed(host, on: engine)
                x.layout = host.layout
                x.trees = engine.spanningTrees(x)
                host.trees = x.trees.map { $0.map { ScanTree($0.tree) } }
                let (result, again) = (engine.tensor(x.u.shape), engine.tensor(x.u.shape))
                engine.scan(x, into: result)
                let like = { (x: Tensor) in engine.tensor(x.shape, repeating: 0) }
                engine.scanBackward(
                    x, gradResult: plain(x.u.shape, on: engine, seed: 6),
                    into: SelectiveScan.Gradients(
                        u: like(x.u), step: like(x.step), z: x.z.map(like), gated: again,
                        B: like(x.B), C: like(x.C)))
                return [result, again] + x.finalStates.compactMap { $0 }
            }
            #expect(host.trees[0]?.tree.root == root)
            let expected = SelectiveScanReference(host).forward()
            expectClose(found[0], expected.result, within: .singlePrecision)
            expectClose(found[1], expected.result, within: .singlePrecision)
            expectClose(found[2], expected.finalStates[0], within: .singlePrecision)
        }
    }

    @Test("sums, factors and what is dropped, in place too", arguments: engines)
    func elements(_ engine: EngineUnderTest) {
        let drop = Dropout(probability: 0.25, seed: 3, name: "elements")
        let found = values(engine) { engine in
            let x = strided(40, 30, on: engine)
            let sum = strided(40, 30, on: engine, seed: 2)
            engine.add(x, scale: -0.5, to: sum)
            let scaled = engine.copy(x)
            engine.scale(scaled, by: 3)
            let dropped = engine.tensor([40, 30])
            engine.drop(drop, x, into: dropped)
            let inPlace = engine.copy(x)
            engine.drop(drop, inPlace, into: inPlace)
            return [x, sum, scaled, dropped, inPlace]
        }
        let x = found[0].map(Double.init)
        let other = strided(40, 30, on: makeEngine(), seed: 2).values.map(Double.init)
        expectClose(found[1], zip(x, other).map { $1 - 0.5 * $0 }, within: .singlePrecision)
        expectClose(found[2], x.map { 3 * $0 }, within: .singlePrecision)
        #expect(found[3] == found[4])
        let isDropped = found[3].map { $0 == 0 }
        #expect((200..<400).contains(isDropped.filter { $0 }.count))
        expectClose(
            found[3], zip(x, isDropped).map { $1 ? 0 : $0 / 0.75 }, within: .singlePrecision)
    }

    @Test("the state matrix, and the gradient by its logarithm", arguments: engines)
    func stateMatrix(_ engine: EngineUnderTest) {
        let found = values(engine) { engine in
            let ALog = plain([70, 5], on: engine)
            let A = engine.tensor([5, 70])
            engine.stateMatrix(ALog, into: A)
            let gradALog = engine.tensor([70, 5], repeating: 2)
            engine.stateMatrixBackward(
                strided(5, 70, on: engine, seed: 4), A: A, into: gradALog)
            return [ALog, A, gradALog]
        }
        let up = strided(5, 70, on: makeEngine(), seed: 4).values.map(Double.init)
        let A = (0..<350).map { place -> Double in
            let (state, channel) = (place / 70, place % 70)
            return -exp(Double(found[0][channel * 5 + state]))
        }
        expectClose(found[1], A, within: .singlePrecision)
        let expected = (0..<350).map { place -> Double in
            let (channel, state) = (place / 5, place % 5)
            return 2 + up[state * 70 + channel] * A[state * 70 + channel]
        }
        expectClose(found[2], expected, within: .singlePrecision)
    }

    @Test("loss, norm of a gradient and update", arguments: engines)
    func training(_ engine: EngineUnderTest) {
        let found = values(engine) { engine in
            let logits = strided(5, 90, on: engine, in: -5...5)
            let scores = engine.crossEntropy(logits, .init(targets: [0, 1, 2, 3, 89])).value
            for (row, target) in [0, 1, 2, 3, 89].enumerated() {
                let values = logits.rows(row..<row + 1).values.map(Double.init)
                let expected = values[target] - log(values.reduce(0) { $0 + exp($1) })
                #expect(abs(scores.logProbabilities[row] - expected) < 5e-6)
                #expect(scores.isGreedy[row] == (values[target] == values.max()))
            }
            let weights = CrossEntropy.Inputs(
                targets: [0, 1, 2, 3, 89], gradientWeights: [1, 1, 0, 1, 1])
            let kept = engine.crossEntropy(logits, weights)
            #expect(kept.value.logProbabilities == scores.logProbabilities)

            let (p, g) = (plain([100_003], on: engine), plain([100_003], on: engine, seed: 8))
            let sum = g.values.reduce(0) { $0 + Double($1) * Double($1) }
            let halves = engine.sumOfSquares([g.rows(0..<7), g.rows(7..<100_003)]).value
            #expect(abs(halves - sum) < 1e-6 * sum)
            let zeros = { engine.tensor([100_003], repeating: 0) }
            let step = AdamW(
                learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1,
                gradientScale: 0.5, step: 1)
            engine.adamW(
                step, parameter: p, gradient: g, moments: .init(first: zeros(), second: zeros()))
            return [logits, p]
        }
        // The first step moves by the rate, against the sign of the gradient.
        let host = makeEngine()
        let (p, g) = (plain([100_003], on: host).values, plain([100_003], on: host, seed: 8).values)
        let expected = zip(p, g).map { (p: Float, g: Float) -> Double in
            let (p, g) = (Double(p), Double(g))
            return p * 0.99 - 0.1 * g / (abs(g) + 2e-8)
        }
        expectClose(found[1], expected, within: .singlePrecision)
    }
}
