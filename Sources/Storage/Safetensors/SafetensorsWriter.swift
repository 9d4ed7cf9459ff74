/// Writes safetensors files, tensor after tensor, so that no second copy of a model is in memory.
///
///     try SafetensorsWriter.write(specs, to: "model.safetensors") { spec, sink in
///         try sink.write(floats: values[spec.name])
///     }
public enum SafetensorsWriter {
    /// What is to be written of one tensor.
    public struct Spec: Equatable, Sendable {
        /// The name.
        public let name: String
        /// The type of the elements in the file.
        public let type: ElementType
        /// The size of each axis; empty for a scalar.
        public let shape: [Int]

        /// Describes a tensor.
        ///
        /// - Parameters:
        ///   - name: The name; not `__metadata__`.
        ///   - type: The type of the elements in the file; of at least 8 bits.
        ///   - shape: The size of each axis, none negative.
        public init(name: String, type: ElementType, shape: [Int]) {
            precondition(!name.isExactly("__metadata__"), "name is '__metadata__', which is taken")
            precondition(type.bits >= 8, "type is \(type), expected one of whole bytes")
            precondition(
                shape.allSatisfy { $0 >= 0 }, "shape is \(shape), expected no negative size")
            self.name = name
            self.type = type
            self.shape = shape
        }

        /// The number of elements.
        public var count: Int { shape.reduce(1, *) }
        var byteCount: Int { count * (type.bits / 8) }
    }

    /// The texts for the header of weights that this program computed: they say so.
    public static let ownMetadata = ["format": "pt", "producer": "mambatreel"]

    /// Writes a file under a neighbour name and renames it when it is complete.
    ///
    /// Like the reference library, it puts wider elements first, so that all are aligned to their
    /// size, and pads the header with blanks to a multiple of 8 bytes. Among tensors of one width,
    /// the given order stays.
    ///
    /// - Parameters:
    ///   - specs: The tensors, no name twice.
    ///   - metadata: Texts for the header.
    ///   - path: The file, replaced if it exists.
    ///   - body: Called once a tensor, in the order of the file; must write all its elements.
    /// - Throws: ``FileError``, or what `body` throws; then nothing is left behind.
    public static func write(
        _ specs: [Spec], metadata: [String: String] = ["format": "pt"], to path: String,
        _ body: (Spec, SafetensorsSink) throws -> Void
    ) throws {
        let order = specs.enumerated().sorted {
            ($1.element.type.bits, $0.offset) < ($0.element.type.bits, $1.offset)
        }.map(\.element)
        try AtomicFile.write(to: path) { writer in
            try writer.write(header(order, metadata))
            for spec in order {
                let sink = SafetensorsSink(spec: spec, writer: writer)
                try body(spec, sink)
                precondition(
                    sink.remaining == 0,
                    "tensor '\(spec.name)' lacks \(sink.remaining) of \(spec.byteCount) bytes")
            }
        }
    }

    /// The length and the text of the header.
    static func header(_ specs: [Spec], _ metadata: [String: String]) -> [UInt8] {
        var object = JSONObject()
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            object["__metadata__"] = .object(JSONObject(texts.map { ($0, .string($1)) }))
        }
        var offset = 0
        for spec in specs {
            let end = offset + spec.byteCount
            let isNew = object.set(
                spec.name,
                to: [
                    "dtype": .string(spec.type.rawValue),
                    "shape": .array(spec.shape.map { .integer($0) }),
                    "data_offsets": [.integer(offset), .integer(end)],
                ])
            precondition(isNew, "tensor '\(spec.name)' is given twice")
            offset = end
        }
        var text = JSONWriter(escapesNonASCII: false, isCompact: true).bytes(.object(object))
        while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    }
}

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
