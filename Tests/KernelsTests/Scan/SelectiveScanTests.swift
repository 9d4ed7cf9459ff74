import Tensors
import TestSupport
import Testing
import TreeTopology

@testable import Kernels

@Suite("Selective scan")
struct SelectiveScanTests {
    /// Every form of the kernel that this machine can run.
    static func engines(threads: Int = 2) -> [CPUEngine] {
        InstructionSet.available.map { makeEngine(threads: threads, instructionSet: $0) }
            + [makeEngine(threads: threads, scanKernel: .blas)]
    }

    @Test("result and last states are those of the definition", arguments: ScanCase.all)
    func forward(scanCase: ScanCase) {
        for engine in Self.engines() {
            let x = scanCase.inputs()
            let expected = SelectiveScanReference(x).forward()
            let result = Tensor(shape: x.u.shape, repeating: .nan)
            engine.scan(x, into: result)
            expectClose(result.values, expected.result, within: .singlePrecision)
            for (sequence, state) in zip(x.sequences, expected.finalStates) {
                expectClose(sequence.finalState?.values ?? [], state, within: .singlePrecision)
            }
        }
    }

    @Test("every gradient is the slope of the definition", arguments: ScanCase.all)
    func backward(scanCase: ScanCase) {
        var generator = SeededGenerator(seed: 11)
        let x = scanCase.inputs()
        let gradResult = Tensor.random(x.u.shape, in: -1...1, using: &generator)
        let weights = gradResult.values.map(Double.init)
        func slope(
            _ operand: Tensor, _ replace: (inout SelectiveScan.Inputs, Tensor) -> Void
        ) -> [Double] {
            centralDifference(at: operand) { point in
                var moved = x
                replace(&moved, point)
                return zip(SelectiveScanReference(moved).forward().result, weights).reduce(0) {
                    $0 + $1.0 * $1.1
                }
            }
        }
        let (u, step) = (slope(x.u) { $0.u = $1 }, slope(x.step) { $0.step = $1 })
        let z = x.z.map { slope($0) { $0.z = $1 } }
        let (A, D) = (slope(x.A) { $0.A = $1 }, slope(x.D) { $0.D = $1 })
        let (B, C) = (slope(x.B) { $0.B = $1 }, slope(x.C) { $0.C = $1 })
        let result = SelectiveScanReference(x).forward().result
        for engine in Self.engines() {
            let gradients = SelectiveScan.Gradients(repeating: .nan, like: x, parameters: 2)
            engine.scanBackward(x, gradResult: gradResult, into: gradients)
            expectClose(gradients.u.values, u, within: .difference)
            expectClose(gradients.step.values, step, within: .difference)
            expectClose(gradients.z?.values ?? [], z ?? [], within: .difference)
            expectClose(gradients.B.values, B, within: .difference)
            expectClose(gradients.C.values, C, within: .difference)
            // Those of the parameters are added to what was there.
            expectClose(gradients.A?.values ?? [], A.map { $0 + 2 }, within: .difference)
            expectClose(gradients.D?.values ?? [], D.map { $0 + 2 }, within: .difference)
            if let gated = gradients.gated {
                expectClose(gated.values, result, within: .singlePrecision)
            }
        }
    }

    @Test("one token by hand: y = C * delta * u * B + D * u, delta = log 2, SiLU(z) = z / 2")
    func oneToken() {
        for engine in Self.engines() {
            // Of z = 0 the gate is 0, and its slope a half.
            let x = SelectiveScan.Inputs(
                u: Tensor([2, 2], shape: [1, 2]), step: Tensor([0, 0], shape: [1, 2]),
                z: Tensor([0, 100], shape: [1, 2]), A: Tensor([-1, -1], shape: [1, 2]),
                B: Tensor([3], shape: [1, 1]), C: Tensor([5], shape: [1, 1]),
                D: Tensor([7, 7], shape: [2]), sequences: [SelectiveScan.Sequence(rows: 0..<1)])
            let logTwo = 0.6931471805599453
            let y = 30 * logTwo + 14
            let result = Tensor(shape: [1, 2])
            engine.scan(x, into: result)
            expectClose(result.values, [0, 100 * y], within: .singlePrecision)
            let gradients = SelectiveScan.Gradients(repeating: .nan, like: x, parameters: 0)
            engine.scanBackward(
                x, gradResult: Tensor([1, 1], shape: [1, 2]), into: gradients)
            expectClose(gradients.z?.values ?? [], [y / 2, y], within: .singlePrecision)
            // d delta / d step = 1/2; the first channel's gate is shut.
            expectClose(gradients.step.values, [0, 100 * 15], within: .singlePrecision)
            expectClose(
                gradients.u.values, [0, 100 * (15 * logTwo + 7)], within: .singlePrecision)
        }
    }

    @Test("a path as a tree repeats the chain")
    func pathIsTheChain() {
        let engine = makeEngine(threads: 1)
        var x = ScanCase(inner: 20, state: 16, lengths: [(30, 0)], gains: (1, 0.3)).inputs()
        let (chain, tree) = (Tensor(shape: x.u.shape), Tensor(shape: x.u.shape))
        engine.scan(x, into: chain)
        x.sequences[0].tree = ScanTree(
            RootedTree(
                parent: (1..<30).map(Int32.init) + [-1], order: (0..<30).map(Int32.init),
                transition: (1...30).map(Int32.init)))
        engine.scan(x, into: tree)
        expectClose(tree.values, chain.values.map(Double.init), within: .singlePrecision)
    }

    @Test("steps beyond the range of the exponential decay to zero")
    func extremeSteps() {
        for engine in Self.engines() {
            func lastY(A: Float, step: [Float]) -> Float {
                let one = [Float](repeating: 1, count: step.count)
                let x = SelectiveScan.Inputs(
                    u: Tensor(one, shape: [step.count, 1]),
                    step: Tensor(step, shape: [step.count, 1]), A: Tensor([A], shape: [1, 1]),
                    B: Tensor(one, shape: [step.count, 1]),
                    C: Tensor(one, shape: [step.count, 1]), D: Tensor([0], shape: [1]),
                    sequences: [SelectiveScan.Sequence(rows: 0..<step.count)])
                let y = Tensor(shape: x.u.shape)
                engine.scan(x, into: y)
                return y.values[step.count - 1]
            }
            #expect(lastY(A: -16, step: [50, 1000]) == 1000)
            #expect(lastY(A: -1e30, step: [50, 1e8]) == 1e8)
            #expect(lastY(A: -.infinity, step: [50, 1000]) == 1000)
            #expect(lastY(A: -1, step: [.nan, 1]).isNaN)
            #expect(lastY(A: -1, step: [1, .nan]).isNaN)
            #expect(lastY(A: 0, step: [50, 60]) == 110)
            // A step that is too small to feel keeps the state as it is.
            #expect(lastY(A: -1, step: [50, -200]) == 50)
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
        let path = RootedTree(
            parent: [1, 2, 3, -1], order: [0, 1, 2, 3], transition: [1, 2, 3, 0])
        #expect(ScanPlan(path).slots == 1)
        // A star: all leaves add to one.
        let star = RootedTree(
            parent: [3, 3, 3, -1], order: [0, 1, 2, 3], transition: [1, 2, 3, 0])
        #expect(ScanPlan(star).slots == 1)
        // 0 and 1 below 2, 3 and 4 below 5, both below 6.
        let balanced = RootedTree(
            parent: [2, 2, 6, 5, 5, 6, -1], order: [0, 1, 2, 3, 4, 5, 6],
            transition: [1, 2, 3, 4, 5, 6, 0])
        #expect(ScanPlan(balanced).slots == 2)
    }
}

extension SelectiveScan.Gradients {
    /// Gradients of all operands: the activations' start at `value`, the parameters' at another.
    init(repeating value: Float, like x: SelectiveScan.Inputs, parameters: Float) {
        func tensor(_ x: Tensor) -> Tensor { Tensor(shape: x.shape, repeating: value) }
        self.init(
            u: tensor(x.u), step: tensor(x.step), z: x.z.map(tensor), gated: x.z.map(tensor),
            B: tensor(x.B), C: tensor(x.C), A: Tensor(shape: x.A.shape, repeating: parameters),
            D: Tensor(shape: x.D.shape, repeating: parameters))
    }

    /// Those of the activations, then those of the parameters.
    var all: [Tensor] { [u, step, B, C] + [z, gated, A, D].compactMap { $0 } }
}

extension Tolerance {
    /// Single precision against a central difference whose step of 1e-3 leaves an error of 1e-6 of
    /// the third derivative.
    fileprivate static let difference = Tolerance(absolute: 1e-4, relative: 2e-4)
}
