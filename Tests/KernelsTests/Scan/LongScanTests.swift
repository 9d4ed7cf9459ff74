import Tensors
import TestSupport
import Testing

@testable import Kernels

/// Scans of more tokens than one piece holds, whose states the backward pass finds again.
@Suite("Long scans")
struct LongScanTests {
    /// A long scan, judged by the reference.
    struct Case: CustomTestStringConvertible, Sendable {
        var scan: ScanCase
        var testDescription: String { scan.testDescription + ", reach \(scan.reach)" }

        static let all: [Case] =
            [0, 1, 200, 256, 300, 700].flatMap { treeLength in
                [3, Int.max].map { reach in
                    Case(
                        scan: ScanCase(
                            inner: 17, state: 16,
                            lengths: [
                                (length: 700, tree: treeLength), (length: 257, tree: 256), (3, 0),
                            ], startsFromState: true, reach: reach))
                }
            } + [
                // Groups of channels share their sums here; the tree is that of a long prompt.
                Case(scan: ScanCase(inner: 150, state: 2, lengths: [(4300, 4200), (300, 5)])),
                Case(scan: ScanCase(inner: 3, state: 4, lengths: [(20_000, 0)])),
                Case(scan: ScanCase(inner: 17, state: 16, lengths: [(700, 600)], root: 0.4)),
                Case(
                    scan: ScanCase(
                        inner: 17, state: 16, lengths: [(600, 600), (90, 60)], reach: 3, root: 0)),
            ]
    }

    @Test("the reference agrees with the definition and its slopes", arguments: ScanCase.all)
    func reference(scanCase: ScanCase) {
        let x = scanCase.inputs()
        var generator = SeededGenerator(seed: 5)
        let weights = Tensor.random(x.u.shape, in: -1...1, using: &generator)
        let found = LongScanReference(x).run(gradResult: weights.values.map(Double.init))
        let expected = SelectiveScanReference(x).forward().result
        #expect(zip(found.result, expected).allSatisfy { abs($0 - $1) < 1e-12 * (1 + abs($1)) })
        func slope(
            _ operand: Tensor, _ replace: (inout SelectiveScan.Inputs, Tensor) -> Void
        )
            -> [Double]
        {
            centralDifference(at: operand) { point in
                var moved = x
                replace(&moved, point)
                return zip(SelectiveScanReference(moved).forward().result, weights.values)
                    .reduce(0) { $0 + $1.0 * Double($1.1) }
            }
        }
        func expect(_ gradient: [Double], _ slope: [Double]) {
            expectClose(gradient.map { Float($0) }, slope, within: .centralDifference)
        }
        expect(found.u, slope(x.u) { $0.u = $1 })
        expect(found.step, slope(x.step) { $0.step = $1 })
        expect(found.z, x.z.map { slope($0) { $0.z = $1 } } ?? [])
        expect(found.A, slope(x.A) { $0.A = $1 })
        expect(found.B, slope(x.B) { $0.B = $1 })
        expect(found.C, slope(x.C) { $0.C = $1 })
        expect(found.D, slope(x.D) { $0.D = $1 })
    }

    @Test("result and gradients are those of the reference", arguments: Case.all)
    func againstReference(longCase: Case) {
        let x = longCase.scan.inputs()
        var generator = SeededGenerator(seed: 3)
        let gradResult = Tensor.random(x.u.shape, in: -1...1, using: &generator)
        let expected = LongScanReference(x).run(gradResult: gradResult.values.map(Double.init))
        for engine in SelectiveScanTests.engines() {
            let result = Tensor(shape: x.u.shape)
            engine.scan(x, into: result)
            expectClose(result.values, expected.result, within: .longSum)
            let gradients = SelectiveScan.Gradients(repeating: .nan, like: x, parameters: 0)
            engine.scanBackward(x, gradResult: gradResult, into: gradients)
            expectClose(gradients.u.values, expected.u, within: .longSum)
            expectClose(gradients.step.values, expected.step, within: .longSum)
            expectClose(gradients.z?.values ?? [], expected.z, within: .longSum)
            expectClose(gradients.gated?.values ?? [], expected.result, within: .longSum)
            expectClose(gradients.B.values, expected.B, within: .longSum)
            expectClose(gradients.C.values, expected.C, within: .longSum)
            expectClose(gradients.A?.values ?? [], expected.A, within: .longTotal)
            expectClose(gradients.D?.values ?? [], expected.D, within: .longTotal)
        }
    }
}

extension Tolerance {
    /// A single-precision state over thousands of tokens, of which the latest weigh most.
    fileprivate static let longSum = Tolerance(absolute: 2e-5, relative: 1e-4)
    /// A single-precision sum over thousands of tokens.
    fileprivate static let longTotal = Tolerance(absolute: 1e-4, relative: 1e-4)
}
