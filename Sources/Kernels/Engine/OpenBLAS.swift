import Glibc

/// The functions of OpenBLAS that the engine calls, in a library that is opened when they are first needed.
///
/// A linked library would start a thread a core in every program, and these wait for ever where memory is short.
struct OpenBLAS: @unchecked Sendable {
    // Sendable: functions of C, which any thread may call.

    /// A BLAS order or transposition, by its number in `cblas.h`.
    static let (rowMajor, plain, transposed) = (Int32(101), Int32(111), Int32(112))

    typealias Floats = UnsafePointer<Float>
    typealias Result = UnsafeMutablePointer<Float>

    /// Order, both transpositions, rows, columns, depth, and then `c = alpha * a b + beta * c`.
    typealias Gemm =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Float, Floats, Int32, Floats, Int32, Float,
            Result, Int32
        ) -> Void
    /// Order, transposition, rows, columns, and then `y = alpha * a x + beta * y`.
    typealias Gemv =
        @convention(c) (
            Int32, Int32, Int32, Int32, Float, Floats, Int32, Floats, Int32, Float, Result, Int32
        ) -> Void
    /// Order, rows, columns, and then `a += alpha * x yᵀ`.
    typealias Ger =
        @convention(c) (
            Int32, Int32, Int32, Float, Floats, Int32, Floats, Int32, Result, Int32
        ) -> Void
    /// The dot product of two vectors.
    typealias Dot = @convention(c) (Int32, Floats, Int32, Floats, Int32) -> Float
    /// The length of a vector.
    typealias Norm = @convention(c) (Int32, Floats, Int32) -> Float

    let gemm: Gemm
    let gemv: Gemv
    let ger: Ger
    let dot: Dot
    let norm: Norm
    /// The processor that the library chose its kernels for.
    let processor: String

    /// The library; opened once, at the first use.
    static let library = Swift.Result<OpenBLAS, EngineError> { () throws(EngineError) in
        try OpenBLAS()
    }

    private init() throws(EngineError) {
        // It starts its threads as it is opened. The engine's own divide the work, so one is enough.
        setenv("OPENBLAS_NUM_THREADS", "1", 1)
        guard let handle = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL) else {
            throw EngineError.noOpenBLAS(reason: OpenBLAS.reason)
        }
        func function<Function>(_ name: String, _: Function.Type) throws(EngineError) -> Function {
            guard let address = dlsym(handle, name) else {
                throw EngineError.noOpenBLAS(reason: OpenBLAS.reason)
            }
            return unsafeBitCast(address, to: Function.self)
        }
        gemm = try function("cblas_sgemm", Gemm.self)
        gemv = try function("cblas_sgemv", Gemv.self)
        ger = try function("cblas_sger", Ger.self)
        dot = try function("cblas_sdot", Dot.self)
        norm = try function("cblas_snrm2", Norm.self)
        let name = try function(
            "openblas_get_corename", (@convention(c) () -> UnsafePointer<CChar>?).self)()
        processor = name.map { String(cString: $0) } ?? "unknown"
    }

    private static var reason: String { dlerror().map { String(cString: $0) } ?? "unknown reason" }

    /// Refuses to begin where the library would wait for memory for ever.
    ///
    /// - Parameter threads: How many call it at a time.
    /// - Throws: ``EngineError/openBLASMemory(threads:bytes:)``.
    static func checkMemory(threads: Int) throws(EngineError) {
        let bytes = threads * bufferSize
        let memory = mmap(nil, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let memory, memory != MAP_FAILED else {
            throw EngineError.openBLASMemory(threads: threads, bytes: bytes)
        }
        munmap(memory, bytes)
    }

    /// What each thread that multiplies takes, in the builds with the largest buffers.
    private static let bufferSize = 128 << 20
}

/// Why an engine cannot be started.
public enum EngineError: Error, Equatable {
    /// The library of OpenBLAS cannot be opened.
    case noOpenBLAS(reason: String)
    /// OpenBLAS would not get the memory that its threads take.
    case openBLASMemory(threads: Int, bytes: Int)
}

extension EngineError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .noOpenBLAS(let reason):
            "OpenBLAS cannot be opened: \(reason); install the package libopenblas0, "
                + "or choose the engine native and the scan kernel fused"
        case .openBLASMemory(let threads, let bytes):
            "OpenBLAS takes up to \(bytes >> 20) MiB with \(threads) thread\(threads == 1 ? "" : "s"), "
                + "which the limit of memory (ulimit -v) does not leave; take fewer threads, "
                + "or the engine native and the scan kernel fused"
        }
    }
}
