import Kernels
import TestSupport
import Testing

@Suite("Linear layer with weights in other formats")
struct LinearFormatTests {
    /// Rows of the input: few are multiplied by the weight where it lies, many by panels of it.
    static let tokens = [1, 3, 9, 40]

    @Test(
        "own kernels give the bits of the expanded weight",
        arguments: EngineCase.all.filter { $0.matrixKernel == .native },
        WeightMatrix.Format.allCases)
    func bits(_ way: EngineCase, _ format: WeightMatrix.Format) {
        let engine = way.engine
        for (inFeatures, outFeatures) in [(48, 64), (301, 37), (16, 1)] {
            for tokens in Self.tokens {
                let x = operands(tokens, inFeatures, outFeatures, format)
                let expanded = x.weight.expanded()
                let (y, expected) = (Tensor(shape: x.gradY.shape), Tensor(shape: x.gradY.shape))
                engine.linear(x.x, weight: x.weight, bias: x.bias, adding: x.gradY, into: y)
                engine.linear(x.x, weight: expanded, bias: x.bias, adding: x.gradY, into: expected)
                #expect(y.values == expected.values)
                let (gradX, expectedX) = (Tensor(shape: x.x.shape), Tensor(shape: x.x.shape))
                engine.linearInputGradient(x.gradY, weight: x.weight, adding: nil, into: gradX)
                engine.linearInputGradient(x.gradY, weight: expanded, adding: nil, into: expectedX)
                #expect(gradX.values == expectedX.values)
            }
        }
    }

    @Test(
        "OpenBLAS multiplies by the expanded weight",
        arguments: [WeightMatrix.Format.bfloat16, .int8])
    func openBLAS(_ format: WeightMatrix.Format) {
        let engine = CPUEngine(threads: 2, matrixKernel: .openblas)
        let x = operands(20, 1100, 1030, format)
        let expanded = x.weight.expanded()
        let (y, expected) = (Tensor(shape: x.gradY.shape), Tensor(shape: x.gradY.shape))
        engine.linear(x.x, weight: x.weight, bias: x.bias, adding: nil, into: y)
        engine.linear(x.x, weight: expanded, bias: x.bias, adding: nil, into: expected)
        expectClose(y.values, expected.values.map(Double.init), within: LinearTests.tolerance)
        let (gradX, expectedX) = (Tensor(shape: x.x.shape), Tensor(shape: x.x.shape))
        engine.linearInputGradient(x.gradY, weight: x.weight, adding: nil, into: gradX)
        engine.linearInputGradient(x.gradY, weight: expanded, adding: nil, into: expectedX)
        expectClose(gradX.values, expectedX.values.map(Double.init), within: LinearTests.tolerance)
    }

    struct Operands {
        var x: Tensor
        var weight: WeightMatrix
        var bias: Tensor
        var gradY: Tensor
    }

    private func operands(
        _ tokens: Int, _ inFeatures: Int, _ outFeatures: Int, _ format: WeightMatrix.Format
    ) -> Operands {
        var generator = SeededGenerator(seed: UInt64(tokens))
        let weight = Tensor.random([outFeatures, inFeatures], in: -1...1, using: &generator)
        return Operands(
            x: .random([tokens, inFeatures], in: -1...1, using: &generator),
            weight: WeightMatrix(rounding: weight, to: format),
            bias: .random([outFeatures], in: -1...1, using: &generator),
            gradY: .random([tokens, outFeatures], in: -1...1, using: &generator))
    }
}
