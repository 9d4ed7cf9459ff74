import CKernels
import Glibc
import Kernels
import TestSupport
import Testing

@Suite("Functions of one variable")
struct VectorMathTests {
    /// A function, its definition, and what `vector_math.h` promises.
    struct Function: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var kind: mtl_function
        /// Where it is defined.
        var domain: ClosedRange<Float> = -.infinity...(.infinity)
        /// The largest error in units in the last place, by instruction set, the lowest first; the last of
        /// all with AVX-512.
        var ulps: [Double]
        /// The largest error where the result is less than ``tiny``.
        var absolute = 1.2e-38
        var tiny = Double(Float.leastNormalMagnitude)
        var exact: @Sendable (Double) -> Double

        static let all = [
            Function(testDescription: "exp", kind: MTL_EXP, ulps: [1.0, 1.0, 1.0]) { exp($0) },
            Function(
                testDescription: "exp2", kind: MTL_EXP2, domain: -.infinity...0,
                ulps: [1.3, 1.0, 2.6]
            ) { exp2($0) },
            Function(testDescription: "softplus", kind: MTL_SOFTPLUS, ulps: [2.5, 2.1, 2.1]) {
                max($0, 0) + log1p(exp(-abs($0)))
            },
            Function(testDescription: "sigmoid", kind: MTL_SIGMOID, ulps: [2.5, 2.5, 2.5]) {
                1 / (1 + exp(-$0))
            },
            // The sigmoid is 0 below -88, where SiLU still is this small.
            Function(
                testDescription: "SiLU", kind: MTL_SILU, ulps: [2.6, 2.6, 2.6],
                absolute: 1.3e-36, tiny: 1.3e-36
            ) { $0 / (1 + exp(-$0)) },
        ]
    }

    @Test(
        "errors are as stated, at all exponents", arguments: Function.all, InstructionSet.available)
    func errors(_ function: Function, set: InstructionSet) {
        // Every 2503th float: a prime, so that all places of the mantissa occur.
        let values = stride(from: UInt32(0), through: .max - 2503, by: 2503).lazy
            .map(Float.init(bitPattern:)).filter { function.domain.contains($0) }
        let x = Array(values)
        let y = results(function.kind, of: x, set)
        var (worst, worstTiny) = ((error: 0.0, at: Float(0)), (error: 0.0, at: Float(0)))
        for (x, y) in zip(x, y) {
            let exact = function.exact(Double(x))
            guard abs(exact) <= Double(Float.greatestFiniteMagnitude) else {
                #expect(y == Float(exact) || abs(y) == .greatestFiniteMagnitude)
                continue
            }
            let error = abs(Double(y) - exact)
            if abs(exact) < function.tiny {
                if !(error <= worstTiny.error) { worstTiny = (error, x) }
            } else if !(error / Double(Float(exact).ulp) <= worst.error) {
                worst = (error / Double(Float(exact).ulp), x)
            }
        }
        let limit = function.ulps[min(Int(isa(set).rawValue), function.ulps.count - 1)]
        #expect(worst.error <= limit, "at \(worst.at)")
        #expect(worst.error > limit / 2, "the statement is too weak")
        #expect(worstTiny.error <= function.absolute, "at \(worstTiny.at)")
    }

    @Test("infinities, zero and NaN", arguments: InstructionSet.available)
    func edges(_ set: InstructionSet) {
        let x: [Float] = [0, -.infinity, .infinity, .nan, -1000, 1000]
        let exponential = results(MTL_EXP, of: x, set)
        #expect(exponential[0] == 1 && exponential[1] == 0 && exponential[2] == .infinity)
        #expect(exponential[3].isNaN && exponential[4] == 0 && exponential[5] == .infinity)
        let power = results(MTL_EXP2, of: [0, -0, -.infinity, .nan, -1, -1e30], set)
        #expect(power[0] == 1 && power[1] == 1 && power[2] == 0 && power[3].isNaN)
        #expect(power[4] == 0.5 && power[5] == 0)
        let softplus = results(MTL_SOFTPLUS, of: x, set)
        #expect(softplus[1] == 0 && softplus[2] == .infinity && softplus[3].isNaN)
        #expect(softplus[4] == 0 && softplus[5] == 1000)
        let sigmoid = results(MTL_SIGMOID, of: x, set)
        #expect(sigmoid[0] == 0.5 && sigmoid[1] == 0 && sigmoid[2] == 1 && sigmoid[3].isNaN)
    }

    private func isa(_ set: InstructionSet) -> mtl_isa {
        mtl_isa(rawValue: UInt32(InstructionSet.allCases.firstIndex(of: set) ?? 0))
    }

    private func results(_ kind: mtl_function, of x: [Float], _ set: InstructionSet) -> [Float] {
        var y = [Float](repeating: 0, count: x.count)
        mtl_apply(isa(set), kind, x, &y, x.count)
        return y
    }
}
