import Kernels
import TestSupport
import Testing

@Suite("Linear layer")
struct LinearTests {
    struct Size: CustomTestStringConvertible {
        var tokens: Int
        var inFeatures: Int
        var outFeatures: Int
        var testDescription: String { "[\(tokens), \(inFeatures)] to \(outFeatures)" }

        static let all = [
            Size(tokens: 1, inFeatures: 1, outFeatures: 1),
            Size(tokens: 13, inFeatures: 48, outFeatures: 33),
            Size(tokens: 400, inFeatures: 31, outFeatures: 270),
            Size(tokens: 7, inFeatures: 4100, outFeatures: 8),
        ]
    }

    /// Sums of up to 4100 products of values in [-1, 1], each rounded.
    static let tolerance = Tolerance(absolute: 2e-4, relative: 1e-5)

    @Test("output matches the double-precision product", arguments: EngineCase.all, Size.all)
    func forward(_ way: EngineCase, _ size: Size) {
        let x = operands(size)
        let y = Tensor(shape: [size.tokens, size.outFeatures], repeating: .nan)
        way.engine.linear(x.x, weight: x.weight, bias: x.bias, into: y, accumulating: false)
        let expected = reference(x)
        expectClose(y.values, expected, within: Self.tolerance)
        way.engine.linear(x.x, weight: x.weight, bias: x.bias, into: y, accumulating: true)
        expectClose(y.values, expected.map { 2 * $0 }, within: Self.tolerance)
    }

    @Test("gradients match central differences", arguments: EngineCase.all)
    func backward(_ way: EngineCase) {
        let x = operands(Size(tokens: 5, inFeatures: 7, outFeatures: 6))
        var generator = SeededGenerator(seed: 9)
        let gradY = Tensor.random([5, 6], in: -1...1, using: &generator)
        let engine = way.engine

        let gradX = Tensor(shape: x.x.shape, repeating: .nan)
        engine.linearInputGradient(gradY, weight: x.weight, into: gradX, accumulating: false)
        let byX = centralDifference(at: x.x) {
            weightedSum(reference(Operands(x: $0, weight: x.weight, bias: x.bias)), gradY)
        }
        expectClose(gradX.values, byX, within: .singlePrecision)
        engine.linearInputGradient(gradY, weight: x.weight, into: gradX, accumulating: true)
        expectClose(gradX.values, byX.map { 2 * $0 }, within: .singlePrecision)

        let gradWeight = Tensor(shape: x.weight.shape, repeating: 1)
        engine.linearWeightGradient(gradY, x: x.x, into: gradWeight)
        let byWeight = centralDifference(at: x.weight) {
            weightedSum(reference(Operands(x: x.x, weight: $0, bias: x.bias)), gradY)
        }
        expectClose(gradWeight.values, byWeight.map { $0 + 1 }, within: .singlePrecision)

        let gradBias = Tensor(shape: x.bias.shape, repeating: 1)
        engine.biasGradient(gradY, into: gradBias)
        let byBias = centralDifference(at: x.bias) {
            weightedSum(reference(Operands(x: x.x, weight: x.weight, bias: $0)), gradY)
        }
        expectClose(gradBias.values, byBias.map { $0 + 1 }, within: .singlePrecision)
    }

    @Test("long weight gradients match", arguments: EngineCase.all)
    func longWeightGradient(_ way: EngineCase) {
        var generator = SeededGenerator(seed: 4)
        let gradY = Tensor.random([4200, 30], in: -1...1, using: &generator)
        let x = Tensor.random([4200, 17], in: -1...1, using: &generator)
        let gradient = Tensor(shape: [30, 17])
        way.engine.linearWeightGradient(gradY, x: x, into: gradient)
        let (left, right) = (DoubleMatrix(gradY), DoubleMatrix(x))
        var expected = DoubleMatrix(rows: 30, columns: 17)
        for t in 0..<4200 {
            for o in 0..<30 {
                for i in 0..<17 { expected[o, i] += left[t, o] * right[t, i] }
            }
        }
        expectClose(gradient.values, expected.values, within: Self.tolerance)
    }

    @Test("column views of wider tensors are read and written in place", arguments: EngineCase.all)
    func views(_ way: EngineCase) {
        let size = Size(tokens: 14, inFeatures: 20, outFeatures: 40)
        let x = operands(size)
        var generator = SeededGenerator(seed: 2)
        let wideX = Tensor.random([14, 64], in: -1...1, using: &generator)
        wideX.columns(5..<25).copy(from: x.x)
        let wideY = Tensor(shape: [14, 50], repeating: 7)
        way.engine.linear(
            wideX.columns(5..<25), weight: x.weight, bias: nil, into: wideY.columns(3..<43),
            accumulating: false)
        let expected = reference(Operands(x: x.x, weight: x.weight, bias: Tensor(shape: [40])))
        expectClose(wideY.columns(3..<43).copy().values, expected, within: Self.tolerance)
        #expect(wideY.columns(0..<3).copy().values.allSatisfy { $0 == 7 })
        #expect(wideY.columns(43..<50).copy().values.allSatisfy { $0 == 7 })
    }

    @Test("own kernels give the same bits whatever the threads and the rows beside")
    func bitsDoNotDependOnCompany() {
        let x = operands(Size(tokens: 50, inFeatures: 770, outFeatures: 300))
        func run(_ threads: Int, rows: Range<Int>) -> [Float] {
            let y = Tensor(shape: [rows.count, 300])
            CPUEngine(threads: threads, matrixKernel: .native).linear(
                x.x.rows(rows), weight: x.weight, bias: nil, into: y, accumulating: false)
            return y.values
        }
        let all = run(1, rows: 0..<50)
        #expect(run(4, rows: 0..<50) == all)
        #expect(run(2, rows: 31..<38) == Array(all[31 * 300..<38 * 300]))
    }

    struct Operands {
        var x: Tensor
        var weight: Tensor
        var bias: Tensor
    }

    private func operands(_ size: Size) -> Operands {
        var generator = SeededGenerator(seed: UInt64(size.tokens))
        return Operands(
            x: .random([size.tokens, size.inFeatures], in: -1...1, using: &generator),
            weight: .random([size.outFeatures, size.inFeatures], in: -1...1, using: &generator),
            bias: .random([size.outFeatures], in: -1...1, using: &generator))
    }

    private func reference(_ operands: Operands) -> [Double] {
        let (x, weight) = (DoubleMatrix(operands.x), DoubleMatrix(operands.weight))
        let bias = operands.bias.values.map(Double.init)
        var y = DoubleMatrix(rows: x.rows, columns: weight.rows)
        for row in 0..<x.rows {
            for out in 0..<weight.rows {
                y[row, out] = bias[out]
                for k in 0..<x.columns { y[row, out] += x[row, k] * weight[out, k] }
            }
        }
        return y.values
    }
}
