import Glibc
import Kernels
import Tensors
import TestSupport
import Testing

@Suite("AdamW")
struct AdamWTests {
    @Test("ten steps match the double-precision equation", arguments: InstructionSet.available)
    func matchesReference(_ set: InstructionSet) {
        var generator = SeededGenerator(seed: 6)
        let engine = makeEngine(threads: 2, instructionSet: set)
        let parameter = Tensor.random([37], in: -1...1, using: &generator)
        let moments = AdamW.Moments(first: Tensor(shape: [37]), second: Tensor(shape: [37]))
        var p = parameter.values.map(Double.init)
        var (m, v) = ([Double](repeating: 0, count: 37), [Double](repeating: 0, count: 37))
        for k in 1...10 {
            let gradient = Tensor.random([37], in: -1...1, using: &generator)
            engine.adamW(
                AdamW(
                    learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1,
                    gradientScale: 0.5, step: k), parameter: parameter, gradient: gradient,
                moments: moments)
            for index in p.indices {
                let g = 0.5 * Double(gradient.values[index])
                m[index] = 0.9 * m[index] + 0.1 * g
                v[index] = 0.999 * v[index] + 0.001 * g * g
                let mean = m[index] / (1 - pow(0.9, Double(k)))
                let square = v[index] / (1 - pow(0.999, Double(k)))
                p[index] = p[index] * (1 - 0.01 * 0.1) - 0.01 * mean / (square.squareRoot() + 1e-8)
            }
        }
        expectClose(parameter.values, p, within: .singlePrecision)
    }

    @Test("the sum of squares is exact for small integers and does not depend on threads")
    func sumOfSquares() {
        let values = (0..<200_000).map { Float($0 % 7) }
        let expected = values.reduce(0.0) { $0 + Double($1) * Double($1) }
        for threads in [1, 3] {
            let tensor = Tensor(values, shape: [values.count])
            #expect(makeEngine(threads: threads).sumOfSquares([tensor]).value == expected)
        }
    }
}
