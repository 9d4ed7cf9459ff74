import Kernels
import Testing

/// One way to run the engine; all of them must agree.
struct EngineCase: CustomTestStringConvertible {
    var threads: Int
    var matrixKernel: CPUEngine.MatrixKernel
    var instructionSet: InstructionSet

    var testDescription: String { "\(matrixKernel), \(instructionSet), \(threads) threads" }

    var engine: CPUEngine {
        CPUEngine(threads: threads, matrixKernel: matrixKernel, instructionSet: instructionSet)
    }

    static let all: [EngineCase] = InstructionSet.available.flatMap { set in
        [
            EngineCase(threads: 1, matrixKernel: .native, instructionSet: set),
            EngineCase(threads: 3, matrixKernel: .native, instructionSet: set),
            EngineCase(threads: 2, matrixKernel: .openblas, instructionSet: set),
        ]
    }
}
