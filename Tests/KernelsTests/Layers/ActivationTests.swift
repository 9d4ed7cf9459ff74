import CKernels
import Glibc
import Kernels
import TestSupport
import Testing

@Suite("Activations")
struct ActivationTests {
    @Test("softplus and its gradient match the reference", arguments: InstructionSet.available)
    func softplus(_ set: InstructionSet) {
        let values = stride(from: Float(-30), through: 40, by: 0.37).map { $0 }
        let x = Tensor(values, shape: [1, values.count])
        let engine = CPUEngine(threads: 1, instructionSet: set)
        let y = x.copy()
        engine.softplus(y)
        let tight = Tolerance(absolute: 0, relative: 4e-7)
        expectClose(y.values, values.map { log1p(exp(Double($0))) }, within: tight)
        let gradient = Tensor(shape: x.shape, repeating: 2)
        engine.softplusBackward(gradient, y: y)
        expectClose(
            gradient.values, values.map { 2 / (1 + exp(-Double($0))) },
            within: Tolerance(absolute: 0, relative: 1e-6))
    }

    @Test("softplus of infinities and NaN is what the formula gives")
    func softplusEdges() {
        let x = Tensor([-.infinity, .infinity, .nan, -1000, 1000], shape: [1, 5])
        CPUEngine(threads: 1).softplus(x)
        #expect(x.values[0] == 0 && x.values[1] == .infinity && x.values[2].isNaN)
        #expect(x.values[3] == 0 && x.values[4] == 1000)
    }

    @Test("the gate and its gradients match the reference", arguments: InstructionSet.available)
    func gate(_ set: InstructionSet) {
        var generator = SeededGenerator(seed: 8)
        let y = Tensor.random([3, 19], in: -2...2, using: &generator)
        let z = Tensor.random([3, 19], in: -6...6, using: &generator)
        let up = Tensor.random([3, 19], in: -1...1, using: &generator)
        let engine = CPUEngine(threads: 2, instructionSet: set)
        let result = Tensor(shape: y.shape)
        engine.gate(y, z: z, into: result)
        expectClose(result.values, reference(y, z), within: .singlePrecision)
        let (gradY, gradZ) = (up.copy(), Tensor(shape: y.shape))
        engine.gateBackward(gradY, y: y, z: z, gradY: gradY, gradZ: gradZ)
        let byY = centralDifference(at: y) { weightedSum(reference($0, z), up) }
        let byZ = centralDifference(at: z) { weightedSum(reference(y, $0), up) }
        expectClose(gradY.values, byY, within: .centralDifference)
        expectClose(gradZ.values, byZ, within: .centralDifference)
    }

    private func reference(_ y: Tensor, _ z: Tensor) -> [Double] {
        zip(y.values, z.values).map { y, z in
            let sigmoid = 1 / (1 + exp(-Double(z)))
            return Double(y) * Double(z) * sigmoid
        }
    }

    @Test("the state matrix and its gradient match the reference")
    func stateMatrix() {
        let x = Tensor([-2, 0, 0.5, 3], shape: [2, 2])
        let engine = CPUEngine(threads: 1)
        let y = Tensor(shape: [2, 2])
        engine.negativeExponential(x, into: y)
        expectClose(y.values, x.values.map { -exp(Double($0)) }, within: .singlePrecision)
        let gradient = Tensor(shape: [2, 2], repeating: 1)
        engine.negativeExponentialBackward(
            Tensor([1, 2, 3, 4], shape: [2, 2]), y: y, into: gradient)
        let expected = zip(x.values, [1.0, 2, 3, 4]).map { 1 - $1 * exp(Double($0)) }
        expectClose(gradient.values, expected, within: .singlePrecision)
    }

    @Test("exp is within 1.5 ulp over its whole range", arguments: InstructionSet.available)
    func exponential(_ set: InstructionSet) {
        let values = (0..<2_000_000).map { Float(-87.33) + Float($0) * 8.8e-5 }
        var result = [Float](repeating: 0, count: values.count)
        mtl_exp(
            mtl_isa(rawValue: UInt32(InstructionSet.available.firstIndex(of: set) ?? 0)),
            values, &result, values.count)
        var worst = 0.0
        for (x, y) in zip(values, result) {
            let expected = exp(Double(x))
            worst = max(worst, abs(Double(y) - expected) / Double(Float(expected).ulp))
        }
        #expect(worst < 1.5)
        var edges: [Float] = [0, -.infinity, .infinity, .nan, -88, -1000, 89, 88.7]
        mtl_exp(mtl_best_isa(), edges, &edges, edges.count)
        #expect(edges[0] == 1 && edges[1] == 0 && edges[2] == .infinity && edges[3].isNaN)
        #expect(edges[4] == 0 && edges[5] == 0 && edges[6] == .infinity)
        #expect(edges[7].isFinite)
    }

    @Test("1 - exp(-y) does not cancel near zero", arguments: InstructionSet.available)
    func oneMinusExponential(_ set: InstructionSet) {
        let values = (0..<300).map { Float(pow(10, -9 + Double($0) / 28)) }
        var result = [Float](repeating: 0, count: values.count)
        mtl_one_minus_exp(
            mtl_isa(rawValue: UInt32(InstructionSet.available.firstIndex(of: set) ?? 0)), values,
            &result, values.count)
        expectClose(
            result, values.map { -expm1(-Double($0)) },
            within: Tolerance(absolute: 0, relative: 3e-7))
    }

    @Test("adding, scaling, gathering and scattering rows")
    func rows() {
        let engine = CPUEngine(threads: 2)
        let y = Tensor([1, 2, 3, 4], shape: [2, 2])
        engine.add(Tensor([1, 1, 2, 2], shape: [2, 2]), scale: 0.5, to: y)
        #expect(y.values == [1.5, 2.5, 4, 5])
        engine.scale(y, by: 2)
        #expect(y.values == [3, 5, 8, 10])
        let gathered = Tensor(shape: [3, 2])
        engine.gatherRows([1, 0, 1], of: y, into: gathered)
        #expect(gathered.values == [8, 10, 3, 5, 8, 10])
        engine.scatterAddRows(gathered, to: [0, 0, 1], of: y)
        #expect(y.values == [14, 20, 16, 20])
    }
}
