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
    /// Whether products by weights in bfloat16 are those of matrix tiles on a processor without them, for tests:
    /// every bit is theirs, and all takes a hundred times longer.
    private let emulatesTiles: Bool
    private var scratches: [Scratch]
    private let roundedWeights = SharedPages()
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
    public convenience init(
        threads: Int, matrixKernel: MatrixKernel? = nil,
        scanKernel: ScanKernel = .fused, instructionSet: InstructionSet = .best
    ) {
        self.init(
            threads: threads, matrixKernel: matrixKernel, scanKernel: scanKernel,
            instructionSet: instructionSet, emulatesTiles: false)
    }

    /// Starts the threads; see the other initialiser.
    package init(
        threads: Int, matrixKernel: MatrixKernel?, scanKernel: ScanKernel,
        instructionSet: InstructionSet, emulatesTiles: Bool
    ) {
        precondition(
            InstructionSet.available.contains(instructionSet),
            "\(instructionSet) on a processor without it")
        self.pool = ThreadPool(threads: threads)
        self.matrixKernel = matrixKernel ?? CPUEngine.matrixKernel(for: instructionSet)
        self.scanKernel = scanKernel
        self.instructionSet = instructionSet
        self.emulatesTiles = emulatesTiles
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
        matrixKernel == .native && (instructionSet == .avx512bf16 || multipliesOnTiles)
    }

    /// Whether they do so on matrix tiles.
    public var multipliesOnTiles: Bool {
        matrixKernel == .native && (instructionSet == .amx || emulatesTiles)
    }

    /// Whether products by weights in int8 round the other factor to whole numbers; else they expand the weights.
    public var multipliesInWholeNumbers: Bool { matrixKernel == .native }

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

    /// The instructions that multiply pairs of bfloat16.
    var pairedISA: mtl_isa { emulatesTiles ? MTL_AMX : isa }

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

/// Memory for weights, one after the other on large pages: alone, many would be too small for one.
///
/// Decoding reads each of them once a token, a few hundred bytes of a row at a time.
private final class SharedPages {
    private static let chunkBytes = 32 << 20
    private var chunk = Memory(hostBytes: 0)
    private var used = 0

    /// Gives memory that lives as long as anybody holds it.
    func memory(bytes: Int) -> Memory {
        guard bytes >= 1 << 16, bytes <= Self.chunkBytes / 4 else {
            return Memory(hostBytes: bytes)
        }
        if used + bytes > chunk.byteCount {
            (chunk, used) = (Memory(hostBytes: Self.chunkBytes), 0)
        }
        let (owner, address) = (chunk, chunk.address + used)
        used += (bytes + 63) / 64 * 64
        return Memory(address: address, byteCount: bytes) { _ in withExtendedLifetime(owner) {} }
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

extension CPUEngine {
    /// Memory of the host.
    public func allocate(bytes: Int) -> Memory { Memory(hostBytes: bytes) }

    /// A little more than the width of wide matrices.
    ///
    /// Rows a multiple of 2 KiB apart would share a few sets of the first-level cache, and a product, which reads
    /// twelve rows at once, would lose lines before it has read them to their end.
    public func rowStride(columns: Int) -> Int {
        columns >= 1024 && columns % 512 == 0 ? columns + 16 : columns
    }

    /// The matrix itself: all memory of the host is in reach.
    public func reachable(_ x: WeightMatrix) -> WeightMatrix { x }

    /// Rounds row by row.
    public func rounded(_ x: Tensor, to format: WeightMatrix.Format) -> WeightMatrix {
        let memory = { (size: Int) in self.roundedWeights.memory(bytes: x.count * size) }
        func round(to memory: Memory, size: Int, _ format: mtl_format, scales: Tensor?) {
            for row in 0..<x.rows {
                mtl_round(
                    isa, x.matrix(row: row).start, x.columns, format,
                    memory.address + row * x.columns * size, scales.map { $0.base + row })
            }
        }
        switch format {
        case .float32: return WeightMatrix(x)
        case .bfloat16:
            let elements = memory(2)
            round(to: elements, size: 2, MTL_BFLOAT16, scales: nil)
            return WeightMatrix(elements: .bfloat16(elements), shape: x.shape)
        case .int8:
            let (elements, scales) = (memory(1), Tensor(uninitialized: [x.rows]))
            round(to: elements, size: 1, MTL_INT8, scales: scales)
            return WeightMatrix(elements: .int8(elements, scales: scales), shape: x.shape)
        }
    }

    /// Row after row.
    public func copy(_ x: Tensor, to y: Tensor) {
        precondition(x.shape == y.shape, "x is \(x.shape), y is \(y.shape)")
        for row in 0..<x.rows {
            (y.base + row * y.rowStride).update(from: x.base + row * x.rowStride, count: x.columns)
        }
    }

    /// In parallel, where it is worth that.
    public func fill(_ x: Tensor, with value: Float) {
        let (rows, columns) = x.isContiguous ? (1, x.count) : (x.rows, x.columns)
        let piece = 1 << 14
        let across = max(1, (columns + piece - 1) / piece)
        let down = max(1, piece / max(columns, 1))
        pool.run((rows + down - 1) / down * across) { index, _ in
            let first = index % across * piece
            let count = min(piece, columns - first)
            for row in index / across * down..<min((index / across + 1) * down, rows) {
                (x.base + row * x.rowStride + first).update(repeating: value, count: count)
            }
        }
    }

    /// Does nothing: operations are done when they return.
    public func finish() {}
}

extension WeightMatrix {
    /// The matrix as C kernels take it; valid as long as the matrix is.
    var cMatrix: mtl_weights {
        switch elements {
        case .float32(let tensor):
            mtl_weights(
                values: UnsafeRawPointer(tensor.base), row: tensor.rowStride, format: MTL_FLOAT32,
                scales: nil)
        case .bfloat16(let memory):
            mtl_weights(
                values: UnsafeRawPointer(memory.address), row: columns, format: MTL_BFLOAT16,
                scales: nil)
        case .int8(let memory, let scales):
            mtl_weights(
                values: UnsafeRawPointer(memory.address), row: columns, format: MTL_INT8,
                scales: UnsafePointer(scales.base))
        }
    }

    /// Calls `body` with the matrix as C kernels take it.
    func withCMatrix<Result>(_ body: (UnsafePointer<mtl_weights>) -> Result) -> Result {
        withExtendedLifetime(elements) { withUnsafePointer(to: cMatrix, body) }
    }
}

/// The instruction sets that the kernels are compiled for, in rising order.
public enum InstructionSet: String, CaseIterable, Comparable, Sendable {
    /// What every processor of the architecture has.
    case portable
    /// AVX2 with fused multiply-add.
    case avx2
    /// AVX-512 F, BW, DQ and VL.
    case avx512
    /// The same with dot products of pairs of bfloat16: weights in that format are multiplied by operands that
    /// are rounded to it.
    case avx512bf16
    /// AVX-512 with matrix tiles (AMX): weights in bfloat16 are multiplied by operands that are rounded to it.
    case amx

    /// The fastest set that this processor runs.
    ///
    /// Not the highest where dot products of bfloat16 are slower than multiply-adds of single precision: on Intel's
    /// processors without matrix tiles they take twice as long (measured on Emerald Rapids).
    public static var best: InstructionSet {
        switch mtl_best_isa() {
        case MTL_AMX: .amx
        case MTL_AVX512_BF16: .avx512bf16
        case MTL_AVX512: .avx512
        case MTL_AVX2: .avx2
        default: .portable
        }
    }

    /// Those this processor runs.
    public static var available: [InstructionSet] { allCases.filter { mtl_runs($0.isa) } }

    var isa: mtl_isa {
        switch self {
        case .portable: MTL_PORTABLE
        case .avx2: MTL_AVX2
        case .avx512: MTL_AVX512
        case .avx512bf16: MTL_AVX512_BF16
        case .amx: MTL_AMX
        }
    }

    /// Orders by capability.
    public static func < (left: InstructionSet, right: InstructionSet) -> Bool {
        left.isa.rawValue < right.isa.rawValue
    }
}
