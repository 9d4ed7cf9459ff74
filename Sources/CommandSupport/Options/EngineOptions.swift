import ArgumentParser
import Kernels
import LoRA
import MambaLM
import Tensors

extension CPUEngine.MatrixKernel: ExpressibleByArgument {}
extension CPUEngine.ScanKernel: ExpressibleByArgument {}
extension WeightMatrix.Format: ExpressibleByArgument {}

/// Where and how to compute; shared by all commands.
public struct EngineOptions: ParsableArguments {
    /// The number of threads; 0 for one a physical core.
    @Option(help: "Threads to compute with; 0 takes one for each physical core.")
    public var threads = 0

    /// Who multiplies matrices.
    @Option(
        help: """
            Who multiplies matrices: own kernels (native) or OpenBLAS (openblas). Default: native \
            where the processor has AVX2 or AVX-512.
            """)
    public var engine: CPUEngine.MatrixKernel?

    /// The form of the recurrence.
    @Option(help: "The form of the recurrence: vectors and registers (fused) or BLAS (blas).")
    public var scanKernel = CPUEngine.ScanKernel.fused

    /// The type of frozen weights.
    @Option(
        help: """
            How linear weights and the embedding are kept: float32, bfloat16 (half the memory), or \
            int8 (a quarter; not for training).
            """)
    public var dtype = WeightMatrix.Format.float32

    /// Creates the defaults.
    public init() {}

    /// Refuses invalid numbers of threads.
    public func validate() throws {
        guard (0...4096).contains(threads) else {
            throw ValidationError("--threads is \(threads), expected 0 to 4096")
        }
    }

    /// The number of threads to use.
    public var resolvedThreads: Int { threads > 0 ? threads : Processor.physicalCores }

    /// What is worth knowing about the type of weights.
    ///
    /// - Parameter engine: What multiplies by them.
    /// - Returns: `nil` if they are multiplied in the type that the user named.
    public func note(for engine: CPUEngine) -> String? {
        let isOwn =
            switch dtype {
            case .float32: true
            case .bfloat16: engine.multipliesInBFloat16
            case .int8: engine.multipliesInWholeNumbers
            }
        guard !isOwn else { return nil }
        return "weights are kept in \(dtype.rawValue) and multiplied in float32: "
            + "less memory, the same speed except for single tokens"
    }

    /// Starts the engine.
    ///
    /// - Throws: `EngineError`.
    public func makeEngine() throws -> CPUEngine {
        try CPUEngine.starting(
            threads: resolvedThreads, matrixKernel: engine, scanKernel: scanKernel)
    }

    /// Starts the engine and loads a model.
    ///
    /// - Parameters:
    ///   - folder: The model's folder.
    ///   - notes: Called with what is worth knowing but no error.
    /// - Returns: The model, and what it computes with.
    /// - Throws: `EngineError`, or an error of the model's files.
    public func loadModel(
        _ folder: String, notes: (String) -> Void
    ) throws -> (model: MambaModel, engine: CPUEngine) {
        let cpu = try makeEngine()
        if let note = note(for: cpu) { notes(note) }
        let (model, unused) = try MambaModel.load(
            folder: folder, engine: cpu, format: dtype, availableBytes: Processor.availableBytes)
        for name in unused { notes("\(folder): tensor '\(name)' is not used") }
        return (model, cpu)
    }
}

extension LoRAAdapterSet {
    /// Reads an adapter and attaches it to a model.
    ///
    /// - Parameters:
    ///   - folder: The adapter's folder.
    ///   - model: The model; its layers have no adapters.
    ///   - notes: Called with what is worth knowing but no error.
    /// - Returns: The adapter.
    /// - Throws: What is wrong with its files; nothing is attached then.
    public static func read(
        _ folder: String, attachingTo model: MambaModel, notes: (String) -> Void
    ) throws -> LoRAAdapterSet {
        let read = try read(folder, attachingTo: model)
        read.notes.forEach(notes)
        return read.adapters
    }
}

/// A quick measurement of the matrix kernels.
public enum MatrixSpeed {
    /// The best of a few runs of one of the 130M model's products.
    ///
    /// - Parameters:
    ///   - engine: What multiplies.
    ///   - format: The type of the weight.
    /// - Returns: Floating-point operations a second.
    public static func measure(
        _ engine: any Engine, format: WeightMatrix.Format = .float32
    ) -> Double {
        let (tokens, inFeatures, outFeatures) = (512, 768, 3072)
        var generator = SplitMix64(seed: 1)
        let x = engine.reachable(
            .filled([tokens, inFeatures]) { generator.nextUniform(-1, 1) })
        let values = Tensor.filled([outFeatures, inFeatures]) { generator.nextUniform(-1, 1) }
        let weight = engine.rounded(engine.reachable(values), to: format)
        let y = engine.tensor([tokens, outFeatures])
        let clock = ContinuousClock()
        let best =
            (0..<8).map { _ in
                clock.measure {
                    engine.linear(x, weight: weight, bias: nil, adding: nil, into: y)
                    engine.finish()
                }
            }.min() ?? .seconds(1)
        let seconds = Double(best.components.attoseconds) * 1e-18 + Double(best.components.seconds)
        return Double(2 * tokens * inFeatures * outFeatures) / max(seconds, 1e-9)
    }
}
