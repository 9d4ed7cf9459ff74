import CZstd

/// Decompresses a stream step by step.
protocol StreamDecoder: AnyObject {
    /// Decompresses as much of `source` as fits into `target`.
    ///
    /// - Throws: ``StreamFailure``.
    func step(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws -> StreamStep
}

/// What one step took and gave.
struct StreamStep {
    let consumed: Int
    let produced: Int
    /// Whether a frame has ended and all its content was handed out.
    let isFrameDone: Bool
}

/// What is wrong with compressed data, in the library's words.
struct StreamFailure: Error {
    let reason: String
}

/// Decompresses a stream of zstd frames in bounded memory.
final class ZstdDecoder: StreamDecoder {
    /// The largest window a frame may ask for, as a power of two: 128 MiB.
    static let windowLog: Int32 = 27

    private let context: OpaquePointer

    /// Creates a decoder.
    ///
    /// - Throws: ``StreamFailure`` if memory is short.
    init() throws {
        guard let context = ZSTD_createDCtx() else { throw StreamFailure(reason: "out of memory") }
        self.context = context
        try check(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZstdDecoder.windowLog))
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Decompresses as much of `source` as fits into `target`.
    func step(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws -> StreamStep {
        var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
        var output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
        let left = try check(ZSTD_decompressStream(context, &output, &input))
        return StreamStep(consumed: input.pos, produced: output.pos, isFrameDone: left == 0)
    }

    /// Whether bytes begin a frame with content.
    static func isFrame(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
    }

    /// Whether bytes begin a frame that decoders skip.
    static func isSkippableFrame(_ bytes: some Collection<UInt8>) -> Bool {
        guard let first = bytes.first, first & 0xF0 == 0x50 else { return false }
        return bytes.dropFirst().starts(with: [0x2A, 0x4D, 0x18])
    }

    @discardableResult
    private func check(_ code: Int) throws -> Int {
        if ZSTD_isError(code) != 0 { throw StreamFailure(reason: zstdReason(code)) }
        return code
    }
}

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
