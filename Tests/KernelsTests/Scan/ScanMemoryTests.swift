import Tensors
import TestSupport
import Testing

@testable import Kernels

@Suite("Memory and bits of the scan")
struct ScanMemoryTests {
    private let kernels = CPUEngine.ScanKernel.allCases

    @Test("a sequence cut in two, the state handed over, gives the same bits")
    func splitSequence() {
        for engine in SelectiveScanTests.engines(threads: 1) {
            let whole = ScanCase(inner: 20, state: 8, lengths: [(30, 12)]).inputs()
            let result = Tensor(shape: whole.u.shape)
            engine.scan(whole, into: result)
            let handedOver = Tensor(shape: [8, 20])
            var parts: [Float] = []
            for rows in [0..<17, 17..<30] {
                var x = whole.rows(rows)
                x.sequences = whole.sequences
                x.sequences[0].rows = 0..<rows.count
                if rows.lowerBound == 0 {
                    x.sequences[0].finalState = handedOver
                } else {
                    (x.sequences[0].tree, x.sequences[0].initialState) = (nil, handedOver)
                }
                let part = Tensor(shape: x.u.shape)
                engine.scan(x, into: part)
                parts += part.values
            }
            #expect(parts == result.values)
        }
    }

    @Test("threads and the other sequences do not change a bit", arguments: [true, false])
    func bitsAreFixed(trainsParameters: Bool) {
        let lengths = [(length: 300, tree: 30), (25, 0), (1, 0), (270, 270)]
        let x = ScanCase(inner: 150, state: 16, lengths: lengths).inputs()
        var generator = SeededGenerator(seed: 5)
        let gradResult = Tensor.random(x.u.shape, in: -1...1, using: &generator)
        for kernel in kernels {
            func run(_ x: SelectiveScan.Inputs, _ gradResult: Tensor, threads: Int) -> [[Float]] {
                let engine = makeEngine(threads: threads, scanKernel: kernel)
                let result = Tensor(shape: x.u.shape)
                var gradients = SelectiveScan.Gradients(repeating: 0, like: x, parameters: 0)
                if !trainsParameters { (gradients.A, gradients.D) = (nil, nil) }
                engine.scan(x, into: result)
                engine.scanBackward(x, gradResult: gradResult, into: gradients)
                return [result.values] + gradients.all.map(\.values)
            }
            let expected = run(x, gradResult, threads: 1)
            #expect(run(x, gradResult, threads: 2) == expected)
            #expect(run(x, gradResult, threads: 3) == expected)

            // The first sequence alone: its rows of the activations' gradients are the same.
            var alone = x.rows(0..<300)
            alone.sequences = [x.sequences[0]]
            let results = run(alone, gradResult.rows(0..<300), threads: 2)
            for (result, whole) in zip(results.prefix(7), expected) {
                #expect(result == Array(whole.prefix(result.count)))
            }
        }
    }

    /// A long tree, whose channels are worked on some groups at a time, beside a short one.
    private let unequal = ScanCase(inner: 450, state: 2, lengths: [(4300, 4200), (300, 5)])

    @Test("where gradients are sums over sequences, no channel is in two jobs")
    func unitsShareNothing() {
        let run = ScanRun(unequal.inputs())
        var units = [Int?](repeating: nil, count: 450)
        for unit in 0..<run.units {
            for sequence in 0..<2 {
                for share in run.shares(in: unit, sequence: sequence) {
                    for channel in run.channels(of: run.groups(of: share, sequence: sequence)) {
                        #expect(units[channel] ?? unit == unit)
                        units[channel] = unit
                    }
                }
            }
        }
        #expect(units.allSatisfy { $0 != nil })
        for sequence in 0..<2 {
            let shares = (0..<run.units).flatMap { run.shares(in: $0, sequence: sequence) }
            #expect(shares == Array(0..<run.shares(of: sequence)))
        }
    }

    @Test(
        "sequences of unequal trees give the same gradients of A and D with any number of threads")
    func unequalTrees() {
        let x = unequal.inputs()
        var generator = SeededGenerator(seed: 6)
        let gradResult = Tensor.random(x.u.shape, in: -1...1, using: &generator)
        func run(threads: Int) -> [[Float]] {
            let gradients = SelectiveScan.Gradients(repeating: 0, like: x, parameters: 0)
            makeEngine(threads: threads).scanBackward(x, gradResult: gradResult, into: gradients)
            return [gradients.A?.values ?? [], gradients.D?.values ?? []]
        }
        let expected = run(threads: 1)
        for threads in [2, 3, 8, 8] { #expect(run(threads: threads) == expected) }
    }

    @Test("gradients may overwrite operands", arguments: [(20, 0), (20, 13), (300, 280)])
    func gradientsOverwriteOperands(length: Int, tree: Int) {
        var generator = SeededGenerator(seed: 9)
        let scanCase = ScanCase(
            inner: 70, state: 16, lengths: [(length: length, tree: tree), (5, 0)])
        let gradResult = Tensor.random([length + 5, 70], in: -1...1, using: &generator)
        for engine in SelectiveScanTests.engines() {
            let x = scanCase.inputs()
            let apart = SelectiveScan.Gradients(repeating: .nan, like: x, parameters: 0)
            engine.scanBackward(x, gradResult: gradResult, into: apart)
            // Each output over an operand that is not its own: u, step, z and the gradient in turn.
            for turn in 0..<4 {
                let (x, up) = (scanCase.inputs(), gradResult.copy())
                let memory = [x.u, x.step, x.z ?? up, up]
                let gradients = SelectiveScan.Gradients(
                    u: memory[turn], step: memory[(turn + 1) % 4], z: memory[(turn + 2) % 4],
                    gated: memory[(turn + 3) % 4], B: Tensor(shape: x.B.shape),
                    C: Tensor(shape: x.C.shape), A: Tensor(shape: x.A.shape),
                    D: Tensor(shape: x.D.shape))
                engine.scanBackward(x, gradResult: up, into: gradients)
                #expect(gradients.all.map(\.values) == apart.all.map(\.values))
            }
        }
    }

    @Test("the result may overwrite an operand")
    func resultOverwritesOperands() {
        let scanCase = ScanCase(inner: 70, state: 16, lengths: [(300, 20), (5, 0)])
        for engine in SelectiveScanTests.engines() {
            let expected = Tensor(shape: [305, 70])
            engine.scan(scanCase.inputs(), into: expected)
            for operand in [\SelectiveScan.Inputs.u, \.step] {
                let x = scanCase.inputs()
                engine.scan(x, into: x[keyPath: operand])
                #expect(x[keyPath: operand].values == expected.values)
            }
            let x = scanCase.inputs()
            if let z = x.z {
                engine.scan(x, into: z)
                #expect(z.values == expected.values)
            }
        }
    }

    @Test("the memory for a long record grows by little a token")
    func longRecord() {
        func floats(_ length: Int) -> Int {
            var asked = 0
            let tokens = Tensor(uninitialized: [length, 1536])
            let projected = Tensor(uninitialized: [length, 16])
            let x = SelectiveScan.Inputs(
                u: tokens, step: tokens, z: tokens, A: Tensor(uninitialized: [16, 1536]),
                B: projected, C: projected, D: Tensor(uninitialized: [1536]),
                sequences: [SelectiveScan.Sequence(rows: 0..<length)])
            // Only the first state is written to before a piece is run.
            let state = UnsafeMutablePointer<Float>.allocate(capacity: 16 * 1536)
            defer { state.deallocate() }
            _ = ScanRun.Memory(ScanRun(x)) {
                asked = $0
                return state
            }
            return asked
        }
        // One state every 256 tokens.
        #expect(floats(10_256) - floats(10_000) == 16 * 1536)
    }
}

extension SelectiveScan.Inputs {
    /// Some rows of the activations; the sequences are left for the caller to set.
    fileprivate func rows(_ rows: Range<Int>) -> SelectiveScan.Inputs {
        SelectiveScan.Inputs(
            u: u.rows(rows), step: step.rows(rows), z: z?.rows(rows), A: A, B: B.rows(rows),
            C: C.rows(rows), D: D, sequences: [])
    }
}
