import CZlib

/// Decompresses a stream of gzip members in bounded memory.
final class GzipDecoder: StreamDecoder {
    // Its state points back to it, so it may not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Creates a decoder.
    ///
    /// - Throws: ``StreamFailure`` if memory is short.
    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 31: the largest window, and the header and trailer of gzip alone.
        let code = inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            stream.deallocate()
            throw StreamFailure(reason: "out of memory")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Decompresses as much of `source` as fits into `target`.
    func step(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws -> StreamStep {
        let input = source.assumingMemoryBound(to: UInt8.self)
        let output = target.assumingMemoryBound(to: UInt8.self)
        let (room, available) = (UInt32(clamping: output.count), UInt32(clamping: input.count))
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        (stream.pointee.avail_in, stream.pointee.avail_out) = (available, room)
        stream.pointee.next_out = output.baseAddress
        let code = inflate(stream, Z_NO_FLUSH)
        let isDone = code == Z_STREAM_END
        guard isDone || code == Z_OK || code == Z_BUF_ERROR else {
            let reason = stream.pointee.msg.map { String(cString: $0) } ?? "error \(code)"
            throw StreamFailure(reason: reason)
        }
        let step = StreamStep(
            consumed: Int(available - stream.pointee.avail_in),
            produced: Int(room - stream.pointee.avail_out), isFrameDone: isDone)
        // Another member may follow.
        if isDone { inflateReset(stream) }
        return step
    }

    /// Whether bytes begin a member.
    static func isMember(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.starts(with: [0x1F, 0x8B])
    }
}
