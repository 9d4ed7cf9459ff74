import Glibc
import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Causal convolution")
struct CausalConvolutionTests {
    struct Size: CustomTestStringConvertible {
        var lengths: [Int]
        var channels: Int
        var width: Int
        var testDescription: String { "\(lengths) tokens, \(channels) channels, width \(width)" }
        static let all = [
            Size(lengths: [1], channels: 1, width: 1),
            Size(lengths: [2, 5, 1], channels: 5, width: 4),
            Size(lengths: [3, 9], channels: 70, width: 3),
            Size(lengths: [7, 2], channels: 150, width: 4),
        ]
    }

    @Test(
        "output and gradients match the reference", arguments: InstructionSet.available, Size.all)
    func matchesReference(_ set: InstructionSet, size: Size) {
        let (x, gradY) = operands(size)
        let engine = makeEngine(threads: 2, instructionSet: set)
        let u = Tensor(shape: x.x.shape, repeating: .nan)
        engine.convolve(x, into: u)
        expectClose(u.values, reference(x), within: .singlePrecision)

        let zeros = { (tensor: Tensor) in Tensor(shape: tensor.shape) }
        let gradients = CausalConvolution.Gradients(
            x: Tensor(shape: x.x.shape, repeating: .nan), weight: zeros(x.weight),
            bias: x.bias.map(zeros))
        engine.convolveBackward(x, gradU: gradY, into: gradients)
        let alone = CausalConvolution.Gradients(
            x: Tensor(shape: x.x.shape, repeating: .nan), weight: nil, bias: nil)
        engine.convolveBackward(x, gradU: gradY, into: alone)
        #expect(alone.x.values == gradients.x.values)
        checkInPlace(x, gradY, engine, expected: gradients)

        func check(
            _ gradient: Tensor?, at point: Tensor?,
            _ replace: (inout CausalConvolution.Inputs, Tensor) -> Void
        ) {
            let expected = centralDifference(at: point ?? Tensor(shape: [0])) {
                var moved = x
                replace(&moved, $0)
                return weightedSum(reference(moved), gradY)
            }
            expectClose(gradient?.values ?? [], expected, within: .centralDifference)
        }
        check(gradients.x, at: x.x) { $0.x = $1 }
        check(gradients.weight, at: x.weight) { $0.weight = $1 }
        check(gradients.bias, at: x.bias) { $0.bias = $1 }
    }

    /// The gradient by `x` in the memory of `x`, and in that of the gradient by `u`.
    private func checkInPlace(
        _ x: CausalConvolution.Inputs, _ gradY: Tensor, _ engine: CPUEngine,
        expected: CausalConvolution.Gradients
    ) {
        for overX in [true, false] {
            let up = gradY.copy()
            var moved = x
            moved.x = x.x.copy()
            let gradients = CausalConvolution.Gradients(
                x: overX ? moved.x : up, weight: Tensor(shape: x.weight.shape),
                bias: x.bias.map { Tensor(shape: $0.shape) })
            engine.convolveBackward(moved, gradU: up, into: gradients)
            #expect(gradients.x.values == expected.x.values)
            #expect(gradients.weight?.values == expected.weight?.values)
            #expect(gradients.bias?.values == expected.bias?.values)
        }
    }

    @Test("a sequence cut in two with its history equals the whole")
    func historyContinues() {
        let (x, _) = operands(Size(lengths: [9], channels: 20, width: 4))
        let engine = makeEngine(threads: 1)
        let whole = Tensor(shape: x.x.shape)
        engine.convolve(x, into: whole)
        var late = x
        late.x = x.x.rows(5..<9)
        late.layout = BatchLayout([.init(length: 4)])
        late.histories = [x.x.rows(2..<5)]
        let rest = Tensor(shape: [4, 20])
        engine.convolve(late, into: rest)
        #expect(rest.values == whole.rows(5..<9).copy().values)
    }

    private func operands(_ size: Size) -> (CausalConvolution.Inputs, gradY: Tensor) {
        var generator = SeededGenerator(seed: UInt64(size.channels))
        let tokens = size.lengths.reduce(0, +)
        let x = CausalConvolution.Inputs(
            x: .random([tokens, size.channels], in: -1...1, using: &generator),
            weight: .random([size.channels, 1, size.width], in: -1...1, using: &generator),
            bias: .random([size.channels], in: -1...1, using: &generator),
            layout: BatchLayout(size.lengths.map { .init(length: $0) }))
        return (x, .random([tokens, size.channels], in: -1...1, using: &generator))
    }

    private func reference(_ inputs: CausalConvolution.Inputs) -> [Double] {
        let (x, weight) = (DoubleMatrix(inputs.x), DoubleMatrix(inputs.weight))
        let bias = (inputs.bias ?? Tensor(shape: [x.columns])).values.map(Double.init)
        var u = DoubleMatrix(rows: x.rows, columns: x.columns)
        for rows in inputs.layout.rows {
            for t in rows {
                for d in 0..<x.columns {
                    var pre = bias[d]
                    for k in 0..<weight.columns {
                        let source = t - weight.columns + 1 + k
                        if source >= rows.lowerBound { pre += weight[d, k] * x[source, d] }
                    }
                    u[t, d] = pre / (1 + exp(-pre))
                }
            }
        }
        return u.values
    }
}
