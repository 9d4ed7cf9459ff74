import Glibc

/// Collects what is written to one file, compressed if asked.
///
/// Comes from ``AtomicFile/write(to:compression:_:)``, which finishes it.
public final class FileWriter {
    /// How the bytes are stored.
    public enum Compression: Equatable, Sendable {
        /// As they are.
        case none
        /// As one zstd frame with a checksum; levels 1 to 19.
        case zstd(level: Int)
    }

    private let descriptor: FileDescriptor
    private let encoder: ZstdEncoder?
    private var buffer: [UInt8] = []
    private static let capacity = 1 << 17

    init(descriptor: consuming FileDescriptor, compression: Compression) throws {
        self.encoder =
            switch compression {
            case .none: nil
            case .zstd(let level): try ZstdEncoder(level: level, file: descriptor.name)
            }
        self.descriptor = descriptor
        buffer.reserveCapacity(FileWriter.capacity)
    }

    /// Appends text as UTF-8.
    public func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write($0) }
    }

    /// Appends bytes.
    public func write(_ bytes: some Collection<UInt8>) throws {
        let done: Void? = try bytes.withContiguousStorageIfAvailable {
            try write(raw: UnsafeRawBufferPointer($0))
        }
        if done == nil { try write([UInt8](bytes)) }
    }

    /// Writes out what is buffered and waits until it has reached the disk.
    func finish() throws {
        try flush()
        if let encoder { try encoder.finish { try descriptor.writeAll($0) } }
        try descriptor.sync()
    }

    private func write(raw bytes: UnsafeRawBufferPointer) throws {
        if buffer.count + bytes.count > FileWriter.capacity { try flush() }
        if bytes.count > FileWriter.capacity {
            try emit(bytes)
        } else {
            buffer.append(contentsOf: bytes)
        }
    }

    private func flush() throws {
        try buffer.withUnsafeBytes { try emit($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func emit(_ bytes: UnsafeRawBufferPointer) throws {
        if let encoder {
            try encoder.compress(bytes) { try descriptor.writeAll($0) }
        } else {
            try descriptor.writeAll(bytes)
        }
    }
}
