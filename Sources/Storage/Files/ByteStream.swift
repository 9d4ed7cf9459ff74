import Glibc

/// Reads a file from front to back, decompressing zstd and gzip on the way.
///
/// A file is taken as compressed if its name ends in `.zst` or `.gz` (and must then be) or if it begins with
/// the mark of a zstd frame or a gzip member, which no UTF-8 text does. Several of them in a row are read as one
/// stream. Memory is bounded: a frame that asks for a window above 128 MiB is an error.
public final class ByteStream {
    /// The path as given, for messages.
    public let path: String

    private let descriptor: FileDescriptor
    private var decoder: (any StreamDecoder)?
    private var isGzip = false
    private var input: [UInt8]
    private var unread: Range<Int> = 0..<0
    private var bytesRead = 0
    private var isAtEnd = false
    private var isFrameDone = false

    /// Opens a file and looks at its first bytes.
    ///
    /// - Parameter path: A regular file, or a pipe that this process was started with (`/dev/fd/63`).
    /// - Throws: ``FileError``.
    public init(path: String) throws {
        self.path = path
        descriptor = try FileDescriptor(opening: path, flags: O_RDONLY, action: "open")
        if try descriptor.status().st_mode & S_IFMT == S_IFDIR {
            throw FileError.notRegular(file: path)
        }
        input = [UInt8](repeating: 0, count: 1 << 17)
        while unread.count < 4, !isAtEnd { try fill() }
        let start = input[unread]
        isGzip = GzipDecoder.isMember(start) || path.hasSuffix(".gz")
        if isGzip {
            guard GzipDecoder.isMember(start) else { throw FileError.notGzip(file: path) }
            decoder = try decoding { try GzipDecoder() }
        } else if ZstdDecoder.isFrame(start) || path.hasSuffix(".zst") {
            guard ZstdDecoder.isFrame(start) || ZstdDecoder.isSkippableFrame(start) else {
                throw FileError.notZstandard(file: path)
            }
            decoder = try decoding { try ZstdDecoder() }
        }
    }

    /// Reads the next bytes of the content.
    ///
    /// - Parameter target: Where they go; not empty.
    /// - Returns: How many were read, at least 1, or 0 at the end.
    /// - Throws: ``FileError``.
    public func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        precondition(!target.isEmpty, "no room to read into")
        return if let decoder {
            try decompress(with: decoder, into: target)
        } else {
            try copy(into: target)
        }
    }

    private func copy(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        if unread.isEmpty { return isAtEnd ? 0 : try descriptor.read(into: target) }
        let count = min(unread.count, target.count)
        target.copyBytes(from: input[unread.prefix(count)])
        unread = unread.dropFirst(count)
        return count
    }

    private func decompress(
        with decoder: any StreamDecoder, into target: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        while true {
            if unread.isEmpty, !isAtEnd { try fill() }
            if unread.isEmpty, isFrameDone { return 0 }
            let step = try decoding {
                try input.withUnsafeBytes {
                    try decoder.step(UnsafeRawBufferPointer(rebasing: $0[unread]), into: target)
                }
            }
            isFrameDone = step.isFrameDone
            unread = unread.dropFirst(step.consumed)
            if step.produced > 0 { return step.produced }
            if unread.isEmpty, isAtEnd, !isFrameDone {
                throw isGzip
                    ? FileError.truncatedMember(file: path, offset: bytesRead)
                    : FileError.truncatedFrame(file: path, offset: bytesRead)
            }
        }
    }

    /// Appends to the unread bytes; called only when there is room.
    private func fill() throws {
        if unread.isEmpty { unread = 0..<0 }
        let count = try input.withUnsafeMutableBytes {
            try descriptor.read(
                into: UnsafeMutableRawBufferPointer(rebasing: $0[unread.upperBound...]))
        }
        isAtEnd = count == 0
        bytesRead += count
        unread = unread.lowerBound..<unread.upperBound + count
    }

    private func decoding<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let failure as StreamFailure {
            let offset = bytesRead - unread.count
            throw isGzip
                ? FileError.badMember(file: path, offset: offset, reason: failure.reason)
                : FileError.badFrame(file: path, offset: offset, reason: failure.reason)
        }
    }
}

extension ByteStream {
    /// Reads a whole file, decompressed if it is compressed.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limit: The largest accepted size of the content, in bytes.
    /// - Returns: The content.
    /// - Throws: ``FileError``.
    public static func contents(of path: String, limit: Int = 64 << 20) throws -> [UInt8] {
        let stream = try ByteStream(path: path)
        var result: [UInt8] = []
        if stream.decoder == nil {
            // Of a pipe the size is not known: 0.
            let size = Int(try stream.descriptor.status().st_size)
            guard size <= limit else { throw FileError.tooLong(file: path, limit: limit) }
            result.reserveCapacity(size)
        }
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 64)
        defer { chunk.deallocate() }
        while true {
            let count = try stream.read(into: chunk)
            if count == 0 { return result }
            guard count <= limit - result.count else {
                throw FileError.tooLong(file: path, limit: limit)
            }
            result.append(contentsOf: chunk[..<count])
        }
    }

    /// Reads a whole text file, decompressed if it is compressed.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limit: The largest accepted size of the content, in bytes.
    /// - Returns: The text, without a byte order mark and with line feeds as line ends.
    /// - Throws: ``FileError``.
    public static func text(of path: String, limit: Int = 64 << 20) throws -> String {
        try TextBytes.decode(try contents(of: path, limit: limit), file: path)
    }
}
