import Glibc
import Kernels
import Tensors
import TestSupport
import Testing

@Suite("State matrix")
struct StateMatrixTests {
    @Test(
        "it is transposed and negative, and its gradient comes back",
        arguments: [(1, 1), (40, 5), (150, 16)])
    func stateMatrix(inner: Int, state: Int) {
        var generator = SeededGenerator(seed: 4)
        let ALog = Tensor.random([inner, state], in: -2...3, using: &generator)
        let up = Tensor.random([state, inner], in: -1...1, using: &generator)
        for set in InstructionSet.available {
            let engine = makeEngine(threads: 2, instructionSet: set)
            let A = Tensor(shape: [state, inner], repeating: .nan)
            engine.stateMatrix(ALog, into: A)
            let gradient = Tensor(shape: ALog.shape, repeating: 1)
            engine.stateMatrixBackward(up, A: A, into: gradient)
            for d in 0..<inner {
                for n in 0..<state {
                    let expected = -exp(Double(ALog[d, n]))
                    expectClose([A[n, d]], [expected], within: .singlePrecision)
                    expectClose(
                        [gradient[d, n]], [1 + Double(up[n, d]) * expected],
                        within: .singlePrecision)
                }
            }
        }
    }
}
