import TestSupport
import Testing

@testable import Kernels

@Suite("Selective scan")
struct SelectiveScanTests {
    /// Every form of the kernel that this machine can run.
    static func engines(threads: Int = 2) -> [CPUEngine] {
        InstructionSet.available.map { CPUEngine(threads: threads, instructionSet: $0) }
            + [CPUEngine(threads: threads, scanKernel: .blas)]
    }

    @Test("y and the last states are those of the definition", arguments: ScanCase.all)
    func forward(scanCase: ScanCase) {
        for engine in Self.engines() {
            let x = scanCase.inputs()
            let expected = SelectiveScanReference(x).forward()
            let y = Tensor(shape: x.u.shape, repeating: .nan)
            engine.scan(x, into: y)
            expectClose(y.values, expected.y, within: .singlePrecision)
            for (sequence, state) in zip(x.sequences, expected.finalStates) {
                expectClose(sequence.finalState?.values ?? [], state, within: .singlePrecision)
            }
        }
    }

    @Test("every gradient is the slope of the definition", arguments: ScanCase.all)
    func backward(scanCase: ScanCase) {
        var generator = SeededGenerator(seed: 11)
        let x = scanCase.inputs()
        let gradY = Tensor.random(x.u.shape, in: -1...1, using: &generator)
        let weights = gradY.values.map(Double.init)
        func slope(_ operand: WritableKeyPath<SelectiveScan.Inputs, Tensor>) -> [Double] {
            centralDifference(at: x[keyPath: operand]) { point in
                var moved = x
                moved[keyPath: operand] = point
                return zip(SelectiveScanReference(moved).forward().y, weights).reduce(0) {
                    $0 + $1.0 * $1.1
                }
            }
        }
        let (u, delta, A) = (slope(\.u), slope(\.delta), slope(\.A))
        let (B, C, D) = (slope(\.B), slope(\.C), slope(\.D))
        for engine in Self.engines() {
            let gradients = SelectiveScan.Gradients(repeating: .nan, like: x, parameters: 2)
            engine.scanBackward(x, gradY: gradY, into: gradients)
            expectClose(gradients.u.values, u, within: .difference)
            expectClose(gradients.delta.values, delta, within: .difference)
            expectClose(gradients.B.values, B, within: .difference)
            expectClose(gradients.C.values, C, within: .difference)
            // Those of the parameters are added to what was there.
            expectClose(gradients.A?.values ?? [], A.map { $0 + 2 }, within: .difference)
            expectClose(gradients.D?.values ?? [], D.map { $0 + 2 }, within: .difference)
        }
    }

    @Test("one token by hand: y = C * delta * u * B + D * u")
    func oneToken() {
        for engine in Self.engines() {
            let x = SelectiveScan.Inputs(
                u: Tensor([2], shape: [1, 1]), delta: Tensor([0.5], shape: [1, 1]),
                A: Tensor([-1], shape: [1, 1]), B: Tensor([3], shape: [1, 1]),
                C: Tensor([5], shape: [1, 1]), D: Tensor([7], shape: [1]),
                sequences: [SelectiveScan.Sequence(rows: 0..<1)])
            let y = Tensor(shape: [1, 1])
            engine.scan(x, into: y)
            #expect(y.values == [29])
        }
    }

    @Test("states of more than one chunk are found again", arguments: [0, 1, 300, 520])
    func longSequences(treeLength: Int) {
        // Both forms keep their states differently, so they check each other where the definition
        // would take minutes.
        let lengths = [(length: 520, tree: treeLength), (length: 257, tree: 256)]
        let x = ScanCase(inner: 17, state: 16, lengths: lengths).inputs()
        var generator = SeededGenerator(seed: 3)
        let gradY = Tensor.random(x.u.shape, in: -1...1, using: &generator)
        let expected = SelectiveScan.Gradients(repeating: .nan, like: x, parameters: 0)
        CPUEngine(threads: 1, scanKernel: .blas).scanBackward(x, gradY: gradY, into: expected)
        for set in InstructionSet.available {
            let gradients = SelectiveScan.Gradients(repeating: .nan, like: x, parameters: 0)
            let engine = CPUEngine(threads: 1, instructionSet: set)
            engine.scanBackward(x, gradY: gradY, into: gradients)
            for (value, expected) in zip(gradients.all, expected.all) {
                expectClose(value.values, expected.values.map(Double.init), within: .longSum)
            }
        }
    }

    @Test("a path as a tree repeats the chain")
    func pathIsTheChain() {
        let engine = CPUEngine(threads: 1)
        var x = ScanCase(inner: 20, state: 16, lengths: [(30, 0)], gains: (1, 0.3)).inputs()
        let (chain, tree) = (Tensor(shape: x.u.shape), Tensor(shape: x.u.shape))
        engine.scan(x, into: chain)
        x.sequences[0].tree = ScanTree(
            parent: (1..<30).map(Int32.init) + [-1], order: (0..<30).map(Int32.init),
            transition: (1...30).map(Int32.init))
        engine.scan(x, into: tree)
        expectClose(tree.values, chain.values.map(Double.init), within: .singlePrecision)
    }

    @Test("a sequence cut in two, the state handed over, gives the same bits")
    func splitSequence() {
        for engine in Self.engines(threads: 1) {
            let whole = ScanCase(inner: 20, state: 8, lengths: [(30, 12)]).inputs()
            let y = Tensor(shape: whole.u.shape)
            engine.scan(whole, into: y)
            let handedOver = Tensor(shape: [20, 8])
            var parts: [Float] = []
            for rows in [0..<17, 17..<30] {
                var sequence = whole.sequences[0]
                sequence.rows = 0..<rows.count
                if rows.lowerBound == 0 {
                    sequence.finalState = handedOver
                } else {
                    (sequence.tree, sequence.initialState) = (nil, handedOver)
                }
                let x = SelectiveScan.Inputs(
                    u: whole.u.rows(rows), delta: whole.delta.rows(rows), A: whole.A,
                    B: whole.B.rows(rows), C: whole.C.rows(rows), D: whole.D,
                    sequences: [sequence])
                let part = Tensor(shape: x.u.shape)
                engine.scan(x, into: part)
                parts += part.values
            }
            #expect(parts == y.values)
        }
    }

    @Test("threads and the other sequences do not change a bit", arguments: [true, false])
    func bitsAreFixed(trainsParameters: Bool) {
        let x = ScanCase(inner: 150, state: 16, lengths: [(40, 30), (25, 0), (1, 0)]).inputs()
        var generator = SeededGenerator(seed: 5)
        let gradY = Tensor.random(x.u.shape, in: -1...1, using: &generator)
        for kernel in SelectiveScan.Kernel.allCases {
            func run(_ x: SelectiveScan.Inputs, _ gradY: Tensor, threads: Int) -> [[Float]] {
                let engine = CPUEngine(threads: threads, scanKernel: kernel)
                let y = Tensor(shape: x.u.shape)
                var gradients = SelectiveScan.Gradients(repeating: 0, like: x, parameters: 0)
                if !trainsParameters { (gradients.A, gradients.D) = (nil, nil) }
                engine.scan(x, into: y)
                engine.scanBackward(x, gradY: gradY, into: gradients)
                return [y.values] + gradients.all.map(\.values)
            }
            let expected = run(x, gradY, threads: 1)
            #expect(run(x, gradY, threads: 2) == expected)
            #expect(run(x, gradY, threads: 3) == expected)

            // The first sequence alone.
            var alone = x
            alone.sequences = [x.sequences[0]]
            (alone.u, alone.delta) = (x.u.rows(0..<40), x.delta.rows(0..<40))
            (alone.B, alone.C) = (x.B.rows(0..<40), x.C.rows(0..<40))
            let results = run(alone, gradY.rows(0..<40), threads: 2)
            for (result, whole) in zip(results.prefix(5), expected) {
                #expect(result == Array(whole.prefix(result.count)))
            }
        }
    }

    @Test("steps beyond the range of the exponential decay to zero or grow to infinity")
    func extremeSteps() {
        for engine in Self.engines() {
            func lastY(A: Float, delta: [Float]) -> Float {
                let one = [Float](repeating: 1, count: delta.count)
                let x = SelectiveScan.Inputs(
                    u: Tensor(one, shape: [delta.count, 1]),
                    delta: Tensor(delta, shape: [delta.count, 1]), A: Tensor([A], shape: [1, 1]),
                    B: Tensor(one, shape: [delta.count, 1]),
                    C: Tensor(one, shape: [delta.count, 1]), D: Tensor([0], shape: [1]),
                    sequences: [SelectiveScan.Sequence(rows: 0..<delta.count)])
                let y = Tensor(shape: x.u.shape)
                engine.scan(x, into: y)
                return y.values[delta.count - 1]
            }
            #expect(lastY(A: -16, delta: [1, 1000]) == 1000)
            #expect(lastY(A: -1e30, delta: [1, 1e8]) == 1e8)
            #expect(lastY(A: 16, delta: [1, 1000]) == .infinity)
            #expect(lastY(A: -1, delta: [.nan, 1]).isNaN)
            #expect(lastY(A: -1, delta: [1, .nan]).isNaN)
            #expect(lastY(A: 0, delta: [1, 2]) == 3)
        }
    }

    @Test("cosines are those of the outer products, and 0 for a zero vector")
    func cosines() {
        for engine in Self.engines() {
            let x = ScanCase(inner: 77, state: 5, lengths: [(6, 0), (4, 0)]).inputs()
            x.u.rows(3..<4).fill(0)
            let edges: [(Int32, Int32)] = [(0, 1), (1, 0), (2, 2), (3, 4), (9, 4), (8, 7)]
            let reference = SelectiveScanReference(x)
            func outer(_ t: Int32) -> [Double] {
                (0..<77 * 5).map { reference.input(Int(t), $0 / 5, $0 % 5) }
            }
            let expected = edges.map { a, b in
                let (a, b) = (outer(a), outer(b))
                func dot(_ a: [Double], _ b: [Double]) -> Double {
                    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
                }
                let norms = (dot(a, a) * dot(b, b)).squareRoot()
                return norms == 0 ? 0 : dot(a, b) / norms
            }
            let cosines = engine.stateInputCosines(x, edges: edges)
            expectClose(cosines, expected, within: .singlePrecision)
            #expect(cosines[3] == 0)
            #expect(engine.stateInputCosines(x, edges: []).isEmpty)
        }
    }

    @Test("a balanced tree whose largest subtrees come first needs few slots")
    func slotsAreReused() {
        // A path: one pending sum at a time.
        let path = ScanTree(
            parent: [1, 2, 3, -1], order: [0, 1, 2, 3], transition: [1, 2, 3, 0])
        #expect(ScanPlan(path).slots == 1)
        // A star: all leaves add to one.
        let star = ScanTree(parent: [3, 3, 3, -1], order: [0, 1, 2, 3], transition: [1, 2, 3, 0])
        #expect(ScanPlan(star).slots == 1)
        // 0 and 1 below 2, 3 and 4 below 5, both below 6.
        let balanced = ScanTree(
            parent: [2, 2, 6, 5, 5, 6, -1], order: [0, 1, 2, 3, 4, 5, 6],
            transition: [1, 2, 3, 4, 5, 6, 0])
        #expect(ScanPlan(balanced).slots == 2)
    }
}

extension SelectiveScan.Gradients {
    /// Gradients of all operands: the activations' start at `value`, the parameters' at another.
    fileprivate init(repeating value: Float, like x: SelectiveScan.Inputs, parameters: Float) {
        self.init(
            u: Tensor(shape: x.u.shape, repeating: value),
            delta: Tensor(shape: x.u.shape, repeating: value),
            B: Tensor(shape: x.B.shape, repeating: value),
            C: Tensor(shape: x.C.shape, repeating: value),
            A: Tensor(shape: x.A.shape, repeating: parameters),
            D: Tensor(shape: x.D.shape, repeating: parameters))
    }

    fileprivate var all: [Tensor] { [u, delta, B, C] + [A, D].compactMap { $0 } }
}

extension Tolerance {
    /// Single precision against a central difference whose step of 1e-3 leaves an error of 1e-6 of
    /// the third derivative.
    fileprivate static let difference = Tolerance(absolute: 1e-4, relative: 2e-4)
    /// Two single-precision sums over hundreds of tokens.
    fileprivate static let longSum = Tolerance(absolute: 2e-3, relative: 2e-3)
}
