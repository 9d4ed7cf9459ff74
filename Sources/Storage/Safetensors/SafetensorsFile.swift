/// A safetensors file, mapped into memory.
///
/// The header is checked completely when the file is opened; after that, every tensor's bytes are
/// known to be there. The memory is read-only: to change values, copy them.
public final class SafetensorsFile: Sendable {
    /// The path as given, for messages.
    public let path: String
    /// The texts that the writer added, such as `format: pt`.
    public let metadata: [String: String]
    /// The tensors in the order of their bytes in the file.
    public let tensors: [SafetensorsTensor]

    private let mapping: MappedFile
    private let places: [ExactString: Int]

    /// Maps a file and checks its header.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``FileError`` if it cannot be mapped, ``SafetensorsError`` if anything in the header
    ///   is not as it should be.
    public init(path: String) throws {
        let mapping = try MappedFile(path: path)
        let header = try SafetensorsHeader(mapping.bytes, file: path)
        self.path = path
        self.mapping = mapping
        metadata = header.metadata
        tensors = header.tensors
        places = Dictionary(
            uniqueKeysWithValues: tensors.enumerated().map { (ExactString($1.name), $0) })
    }

    /// Whether this program wrote the weights in a file, as ``SafetensorsWriter/ownMetadata`` says.
    public static func isOwn(_ path: String) -> Bool {
        let producer = SafetensorsWriter.ownMetadata["producer"]
        return (try? SafetensorsFile(path: path))?.metadata["producer"] == producer
    }

    /// The tensor of a name, nil if there is none.
    public func find(_ name: String) -> SafetensorsTensor? {
        places[ExactString(name)].map { tensors[$0] }
    }

    /// The tensor of a name.
    ///
    /// - Throws: ``SafetensorsError/missingTensor(file:name:)``.
    public func tensor(_ name: String) throws -> SafetensorsTensor {
        guard let tensor = find(name) else {
            throw SafetensorsError.missingTensor(file: path, name: name)
        }
        return tensor
    }

    /// The bytes of a tensor of this file, valid as long as the file object lives.
    ///
    /// They are little-endian, and aligned to the element only if the writer took care of it. Keep
    /// the file object as their owner.
    public func bytes(of tensor: SafetensorsTensor) -> UnsafeRawBufferPointer {
        precondition(find(tensor.name) == tensor, "tensor '\(tensor.name)' is of another file")
        return UnsafeRawBufferPointer(rebasing: mapping.bytes[tensor.byteRange])
    }

    /// Takes a tensor's pages out of memory where they hold nothing else; reading them again is slow, but
    /// right.
    public func release(_ tensor: SafetensorsTensor) {
        precondition(find(tensor.name) == tensor, "tensor '\(tensor.name)' is of another file")
        mapping.release(tensor.byteRange)
    }

    /// Reads a tensor of this file as single precision.
    ///
    /// - Parameters:
    ///   - tensor: A tensor with elements of type F32, F16 or BF16.
    ///   - target: Gets the values in row-major order; must have room for exactly `tensor.count`.
    /// - Throws: ``SafetensorsError/notFloat(file:name:type:)``.
    public func readFloats(
        of tensor: SafetensorsTensor, into target: UnsafeMutableBufferPointer<Float>
    ) throws {
        precondition(
            target.count == tensor.count, "room for \(target.count) of \(tensor.count) values")
        let source = bytes(of: tensor)
        switch tensor.type {
        case .float32: UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
        case .float16: HalfPrecision.convert(source, to: target)
        case .bfloat16: BFloat16.convert(source, to: target)
        default:
            throw SafetensorsError.notFloat(file: path, name: tensor.name, type: tensor.type)
        }
    }

    /// Reads a tensor of this file as single precision, in row-major order.
    ///
    /// - Parameter tensor: A tensor with elements of type F32, F16 or BF16.
    /// - Returns: Its values.
    /// - Throws: ``SafetensorsError/notFloat(file:name:type:)``.
    public func floats(of tensor: SafetensorsTensor) throws -> [Float] {
        try [Float](unsafeUninitializedCapacity: tensor.count) { buffer, filled in
            try readFloats(
                of: tensor, into: UnsafeMutableBufferPointer(rebasing: buffer[..<tensor.count]))
            filled = tensor.count
        }
    }

    /// Reads a tensor of this file whose elements are of type I32, in row-major order.
    ///
    /// - Parameter tensor: A tensor.
    /// - Returns: Its values; nil if the elements are of another type.
    public func integers(of tensor: SafetensorsTensor) -> [Int32]? {
        guard tensor.type == .int32 else { return nil }
        let source = bytes(of: tensor)
        return [Int32](unsafeUninitializedCapacity: tensor.count) { buffer, filled in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: source)
            filled = tensor.count
        }
    }
}
