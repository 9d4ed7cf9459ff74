/// Takes the elements of one tensor on their way into a file.
public final class SafetensorsSink {
    private let spec: SafetensorsWriter.Spec
    private let writer: FileWriter
    /// The number of bytes that are still to be written.
    private(set) var remaining: Int

    init(spec: SafetensorsWriter.Spec, writer: FileWriter) {
        self.spec = spec
        self.writer = writer
        remaining = spec.byteCount
    }

    /// Writes the next elements, rounded to the tensor's type, F32 or BF16.
    ///
    /// - Parameter values: The next elements in row-major order; best if they lie in one piece.
    /// - Throws: ``FileError``.
    public func write(floats values: some Collection<Float>) throws {
        let done: Void? = try values.withContiguousStorageIfAvailable { try write($0) }
        if done == nil { try write(floats: [Float](values)) }
    }

    /// Writes the next elements of a tensor of type I32.
    ///
    /// - Parameter values: The next elements in row-major order.
    /// - Throws: ``FileError``.
    public func write(integers values: [Int32]) throws {
        precondition(spec.type == .int32, "integers for tensor '\(spec.name)' of type \(spec.type)")
        try values.withUnsafeBytes { try write(bytes: $0) }
    }

    /// Writes the next elements as they are.
    ///
    /// - Parameter bytes: Little-endian elements of the tensor's type.
    /// - Throws: ``FileError``.
    public func write(bytes: some Collection<UInt8>) throws {
        take(bytes.count)
        try writer.write(bytes)
    }

    private func write(_ values: UnsafeBufferPointer<Float>) throws {
        switch spec.type {
        case .float32: try write(bytes: UnsafeRawBufferPointer(values))
        case .bfloat16:
            let chunk = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: 1 << 14)
            defer { chunk.deallocate() }
            var rest = values[...]
            while !rest.isEmpty {
                let part = UnsafeBufferPointer(rebasing: rest.prefix(chunk.count))
                let target = UnsafeMutableBufferPointer(rebasing: chunk[..<part.count])
                BFloat16.convert(part, to: target)
                try write(bytes: UnsafeRawBufferPointer(target))
                rest = rest.dropFirst(part.count)
            }
        default:
            preconditionFailure("floats for tensor '\(spec.name)' of type \(spec.type.rawValue)")
        }
    }

    private func take(_ count: Int) {
        precondition(
            count <= remaining,
            "\(count) bytes for tensor '\(spec.name)', which has room for \(remaining)")
        remaining -= count
    }
}
