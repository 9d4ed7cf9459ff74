import Kernels
import Tensors
import Testing

/// An engine for tests; the only place that makes one.
///
/// - Parameters:
///   - threads: At least 1.
///   - matrixKernel: Who multiplies matrices; by default own kernels where they are vectorised.
///   - scanKernel: The form of the recurrence.
///   - instructionSet: One that this machine runs.
///   - emulatesTiles: Whether weights in bfloat16 are multiplied as on matrix tiles, whatever the machine.
/// - Returns: The engine.
public func makeEngine(
    threads: Int = 1, matrixKernel: CPUEngine.MatrixKernel? = nil,
    scanKernel: CPUEngine.ScanKernel = .fused, instructionSet: InstructionSet = .best,
    emulatesTiles: Bool = false
) -> CPUEngine {
    CPUEngine(
        threads: threads, matrixKernel: matrixKernel, scanKernel: scanKernel,
        instructionSet: instructionSet, emulatesTiles: emulatesTiles)
}

/// One way to run the engine; all of them must agree.
public struct EngineCase: CustomTestStringConvertible, Sendable {
    /// The number of threads.
    public var threads: Int
    /// Who multiplies matrices.
    public var matrixKernel: CPUEngine.MatrixKernel
    /// The form of the recurrence.
    public var scanKernel = CPUEngine.ScanKernel.fused
    /// The instructions that own kernels use.
    public var instructionSet: InstructionSet
    /// Whether matrix tiles are emulated.
    public var emulatesTiles = false

    /// What tests print.
    public var testDescription: String {
        let tiles = emulatesTiles ? " and emulated tiles" : ""
        return "\(matrixKernel), \(instructionSet)\(tiles), \(scanKernel) scan, \(threads) threads"
    }

    /// A new engine.
    public var engine: CPUEngine {
        makeEngine(
            threads: threads, matrixKernel: matrixKernel, scanKernel: scanKernel,
            instructionSet: instructionSet, emulatesTiles: emulatesTiles)
    }

    /// Every instruction set of this machine, with own kernels and with OpenBLAS.
    public static let all: [EngineCase] = InstructionSet.available.flatMap { set in
        [
            EngineCase(threads: 1, matrixKernel: .native, instructionSet: set),
            EngineCase(threads: 3, matrixKernel: .native, instructionSet: set),
            EngineCase(threads: 2, matrixKernel: .openblas, instructionSet: set),
        ]
    }

    /// The same, and the scan by OpenBLAS.
    public static let allForms =
        all + [
            EngineCase(
                threads: 2, matrixKernel: .openblas, scanKernel: .blas, instructionSet: .best)
        ]

    /// The best instruction set beside matrix tiles that are emulated.
    public static let emulatedTiles = EngineCase(
        threads: 3, matrixKernel: .native, instructionSet: .best, emulatesTiles: true)
}

extension Tensor {
    /// Sets every element.
    public func fill(_ value: Float) { values = [Float](repeating: value, count: count) }

    /// Copies the elements of a tensor of the same shape.
    public func copy(from other: Tensor) { values = other.values }
}

extension WeightMatrix {
    /// The values in single precision.
    public func expanded() -> Tensor { makeEngine().expanded(self) }

    /// Rounds a tensor to a format.
    public init(rounding tensor: Tensor, to format: Format) {
        self = makeEngine().rounded(tensor, to: format)
    }

    /// One element.
    public subscript(row: Int, column: Int) -> Float { expanded()[row, column] }
}
