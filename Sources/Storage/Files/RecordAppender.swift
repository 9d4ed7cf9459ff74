import Glibc

/// Appends records to a file in TensorFlow's format, each with checksums, while others may be reading it.
///
///     uint64 length | uint32 mask(crc32c(length)) | data | uint32 mask(crc32c(data))      little endian
///     mask(c) = rotate right(c, 15) + 0xA282EAD8
///
/// Source: TensorFlow's `record_writer.cc`.
package final class RecordAppender {
    private let descriptor: FileDescriptor

    /// Creates a file.
    ///
    /// - Parameter path: A file that does not exist, in a folder that does.
    /// - Throws: ``FileError``.
    package init(creating path: String) throws {
        descriptor = try FileDescriptor(
            opening: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND, action: "create")
    }

    /// Appends one record with one system call.
    ///
    /// - Parameter data: Its bytes.
    /// - Throws: ``FileError``.
    package func append(_ data: [UInt8]) throws {
        let length = Self.bytes(of: UInt64(data.count))
        let record = length + Self.checksum(length) + data + Self.checksum(data)
        try record.withUnsafeBytes { try descriptor.writeAll($0) }
    }

    private static func checksum(_ data: [UInt8]) -> [UInt8] {
        let sum = CRC32C.of(data)
        return bytes(of: (sum >> 15 | sum << 17) &+ 0xA282_EAD8)
    }

    private static func bytes(of value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
    }
}
