import CKernels
import Tensors
import Threads

/// The engine for processors: own kernels on a pool of threads, or OpenBLAS for matrix products.
public final class CPUEngine: Engine {
    /// Who multiplies matrices.
    public enum MatrixKernel: String, CaseIterable, Sendable {
        /// Own kernels, with AVX2 or AVX-512 where the processor has it.
        case native
        /// OpenBLAS, whatever kernels it picks for this processor.
        case openblas
    }

    /// The form of the recurrence.
    public enum ScanKernel: String, Sendable, CaseIterable {
        /// Blocks of channels with their states in registers; states recomputed in the backward pass.
        case fused
        /// Rank-one updates and read-outs by BLAS (`sger`, `sgemv`).
        case blas
    }

    /// The threads that divide every operation.
    public let pool: ThreadPool
    /// Who multiplies matrices.
    public let matrixKernel: MatrixKernel
    /// The form of the recurrence.
    public let scanKernel: ScanKernel
    /// The instructions that own kernels use.
    public let instructionSet: InstructionSet
    private var scratches: [Scratch]
    private let library: OpenBLAS?

    /// Starts the threads.
    ///
    /// Where a kernel is OpenBLAS's, the library must be there; ``starting(threads:matrixKernel:scanKernel:)`` asks.
    ///
    /// - Parameters:
    ///   - threads: At least 1.
    ///   - matrixKernel: Who multiplies matrices; by default own kernels where they are vectorised.
    ///   - scanKernel: The form of the recurrence.
    ///   - instructionSet: One of ``InstructionSet/available``.
    public init(
        threads: Int, matrixKernel: MatrixKernel? = nil,
        scanKernel: ScanKernel = .fused, instructionSet: InstructionSet = .best
    ) {
        precondition(
            InstructionSet.available.contains(instructionSet),
            "\(instructionSet) on a processor without it")
        self.pool = ThreadPool(threads: threads)
        self.matrixKernel = matrixKernel ?? CPUEngine.matrixKernel(for: instructionSet)
        self.scanKernel = scanKernel
        self.instructionSet = instructionSet
        self.scratches = (0...pool.threads).map { _ in Scratch() }
        guard self.matrixKernel == .openblas || scanKernel == .blas else {
            library = nil
            return
        }
        switch OpenBLAS.library {
        case .success(let opened): library = opened
        case .failure(let error): preconditionFailure(error.description)
        }
    }

    /// Starts an engine for this processor, if OpenBLAS is there and gets its memory where a kernel needs it.
    ///
    /// - Parameters:
    ///   - threads: At least 1.
    ///   - matrixKernel: Who multiplies matrices; by default own kernels where they are vectorised.
    ///   - scanKernel: The form of the recurrence.
    /// - Returns: The engine.
    /// - Throws: ``EngineError``.
    public static func starting(
        threads: Int, matrixKernel: MatrixKernel?, scanKernel: ScanKernel
    ) throws(EngineError) -> CPUEngine {
        let matrixKernel = matrixKernel ?? self.matrixKernel(for: .best)
        if matrixKernel == .openblas || scanKernel == .blas {
            try OpenBLAS.checkMemory(threads: threads)
            _ = try OpenBLAS.library.get()
        }
        return CPUEngine(threads: threads, matrixKernel: matrixKernel, scanKernel: scanKernel)
    }

    private static func matrixKernel(for instructionSet: InstructionSet) -> MatrixKernel {
        instructionSet == .portable ? .openblas : .native
    }

    /// The library, for the kernels that are its.
    var blas: OpenBLAS {
        guard let library else { preconditionFailure("OpenBLAS was not opened") }
        return library
    }

    /// Whether products by weights in bfloat16 round the other factor, too, and take half as many instructions;
    /// else they expand the weights to single precision.
    public var multipliesInBFloat16: Bool {
        matrixKernel == .native && instructionSet == .avx512bf16
    }

    /// Kernels and instruction set: what decides the last bits of results.
    public var kernels: String {
        let products =
            matrixKernel == .native
            ? "native" : "openblas (\(blas.processor) kernels)"
        return "\(products), \(instructionSet.rawValue), \(scanKernel.rawValue) scan"
    }

    /// Kernels, instruction set and threads.
    public var summary: String {
        "\(kernels), \(pool.threads) thread\(pool.threads == 1 ? "" : "s")"
    }

    var isa: mtl_isa { instructionSet.isa }

    /// Working memory of one worker, aligned to 64 bytes; kept, so a steady state allocates nothing.
    ///
    /// - Parameters:
    ///   - worker: The number that ``ThreadPool/run(_:_:)`` passes; `pool.threads` for memory that
    ///     all workers of one operation share.
    ///   - floats: How many elements are needed; their values are undefined.
    /// - Returns: The first element; valid until the worker asks for more.
    func scratch(worker: Int, floats: Int) -> UnsafeMutablePointer<Float> {
        scratches[worker].memory(floats: floats)
    }

    /// Calls `body` with ranges of at most `size` that make up `0..<count`, in parallel.
    func divide(_ count: Int, by size: Int, _ body: (_ part: Range<Int>, _ worker: Int) -> Void) {
        pool.run((count + size - 1) / size) { index, worker in
            body(index * size..<min((index + 1) * size, count), worker)
        }
    }
}

/// Memory that grows and is never given back while its worker lives.
private final class Scratch {
    private var memory = Memory(hostBytes: 0)

    func memory(floats: Int) -> UnsafeMutablePointer<Float> {
        let bytes = floats * MemoryLayout<Float>.stride
        if memory.byteCount < bytes { memory = Memory(hostBytes: bytes) }
        return memory.address.assumingMemoryBound(to: Float.self)
    }
}

extension Tensor {
    /// The tensor's rows from `row` and columns from `column` on, as C kernels take them.
    func matrix(row: Int = 0, column: Int = 0) -> mtl_matrix {
        mtl_matrix(start: base + row * rowStride + column, row: rowStride)
    }
}

extension Tensor? {
    /// The tensor as C kernels take it, or their sign for none.
    func matrix(row: Int = 0) -> mtl_matrix { self?.matrix(row: row) ?? mtl_matrix() }
}
