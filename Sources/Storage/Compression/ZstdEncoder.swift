import CZstd

/// Compresses a stream into one zstd frame.
final class ZstdEncoder {
    private let context: OpaquePointer
    private let file: String
    private var output: [UInt8]

    init(level: Int, file: String) throws {
        guard let context = ZSTD_createCCtx() else {
            throw FileError.badFrame(file: file, offset: 0, reason: "out of memory")
        }
        self.context = context
        self.file = file
        output = [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())
        try check(
            ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(clamping: level)))
        try check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Compresses some bytes, handing on what is ready.
    func compress(
        _ bytes: UnsafeRawBufferPointer, to sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try run(bytes, ZSTD_e_continue, sink)
    }

    /// Ends the frame.
    func finish(to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        try run(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end, sink)
    }

    private func run(
        _ bytes: UnsafeRawBufferPointer, _ directive: ZSTD_EndDirective,
        _ sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var isDone = false
        while !isDone {
            isDone = try output.withUnsafeMutableBytes { target in
                var produced = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                let left = try check(
                    ZSTD_compressStream2(context, &produced, &input, directive))
                try sink(UnsafeRawBufferPointer(rebasing: target[..<produced.pos]))
                return directive == ZSTD_e_end ? left == 0 : input.pos == input.size
            }
        }
    }

    @discardableResult
    private func check(_ code: Int) throws -> Int {
        guard ZSTD_isError(code) == 0 else {
            throw FileError.badFrame(file: file, offset: 0, reason: zstdReason(code))
        }
        return code
    }
}

/// The library's words for an error code.
func zstdReason(_ code: Int) -> String {
    ZSTD_getErrorName(code).map { String(cString: $0) } ?? "error \(code)"
}
