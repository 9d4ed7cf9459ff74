import Kernels
import Tensors
import TestSupport
import Testing

@Suite("RMS normalisation")
struct RMSNormTests {
    @Test(
        "output and gradients match the reference", arguments: InstructionSet.available,
        [[1, 1], [3, 7], [40, 65]])
    func matchesReference(_ set: InstructionSet, shape: [Int]) {
        var generator = SeededGenerator(seed: 3)
        let x = Tensor.random(shape, in: -2...2, using: &generator)
        let weight = Tensor.random([shape[1]], in: -1...1, using: &generator)
        let gradY = Tensor.random(shape, in: -1...1, using: &generator)
        let engine = makeEngine(threads: 2, instructionSet: set)
        let inputs = RMSNorm.Inputs(x: x, weight: weight, epsilon: 1e-3)

        let y = Tensor(shape: shape, repeating: .nan)
        engine.normalize(inputs, into: y)
        expectClose(y.values, reference(x, weight), within: .singlePrecision)

        let gradients = RMSNorm.Gradients(
            x: Tensor(shape: shape, repeating: .nan),
            weight: Tensor(shape: weight.shape, repeating: 1))
        let ones = Tensor(shape: shape, repeating: 1)
        engine.normalizeBackward(inputs, gradY: gradY, adding: ones, into: gradients)

        // In the memory of an operand, and with nothing added.
        let (inPlace, frozen) = (x.copy(), RMSNorm.Gradients(x: ones.copy(), weight: nil))
        engine.normalizeBackward(
            RMSNorm.Inputs(x: inPlace, weight: weight, epsilon: 1e-3), gradY: gradY,
            adding: frozen.x, into: .init(x: inPlace, weight: nil))
        #expect(inPlace.values == gradients.x.values)
        engine.normalizeBackward(inputs, gradY: gradY, adding: nil, into: frozen)

        guard x.count < 100 else { return }
        let byX = centralDifference(at: x) { weightedSum(reference($0, weight), gradY) }
        expectClose(gradients.x.values, byX.map { $0 + 1 }, within: .centralDifference)
        expectClose(frozen.x.values, byX, within: .centralDifference)
        let byWeight = centralDifference(at: weight) { weightedSum(reference(x, $0), gradY) }
        expectClose(
            gradients.weight?.values ?? [], byWeight.map { $0 + 1 }, within: .centralDifference)
    }

    private func reference(_ x: Tensor, _ weight: Tensor) -> [Double] {
        let (x, weight) = (DoubleMatrix(x), weight.values.map(Double.init))
        var y = DoubleMatrix(rows: x.rows, columns: x.columns)
        for row in 0..<x.rows {
            let squares = (0..<x.columns).map { x[row, $0] * x[row, $0] }
            let mean = squares.reduce(0, +) / Double(x.columns)
            for c in 0..<x.columns {
                y[row, c] = weight[c] * x[row, c] / (mean + 1e-3).squareRoot()
            }
        }
        return y.values
    }
}
