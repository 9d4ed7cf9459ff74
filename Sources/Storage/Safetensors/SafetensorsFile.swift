/// A safetensors file, mapped into memory.
///
/// So can a checkpoint be that `torch.save` wrote, of whose tensors ``PickledTensors`` tells the places.
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
    ///   is not as it should be, ``PickleError`` if anything in a pickle is not.
    public init(path: String) throws {
        let mapping = try MappedFile(path: path)
        self.path = path
        self.mapping = mapping
        if PickledTensors.isOne(mapping.bytes) && !path.hasSuffix(".safetensors") {
            (metadata, tensors) = ([:], try PickledTensors(mapping.bytes, file: path).tensors)
        } else {
            let header = try SafetensorsHeader(mapping.bytes, file: path)
            (metadata, tensors) = (header.metadata, header.tensors)
        }
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

/// What a safetensors header says of one tensor, checked against the file.
public struct SafetensorsTensor: Equatable, Sendable {
    /// The name.
    public let name: String
    /// The type of its elements.
    public let type: ElementType
    /// The size of each axis; empty for a scalar.
    public let shape: [Int]
    /// Where its bytes are in the file.
    public let byteRange: Range<Int>
    /// The number of elements.
    public let count: Int
}

/// The header of a safetensors file, with every field checked against the file's size.
///
/// Format: the header's length as 64-bit little-endian integer, the header as JSON, the data. The
/// tensors cover the data without gap and overlap.
///
/// Source: the safetensors format and its reference library, whose limit of 100 MB for the header
/// is kept. Beyond it, an unknown field in a tensor's entry is an error, and values are counted.
struct SafetensorsHeader {
    /// The longest header, in bytes.
    static let lengthLimit = 100_000_000
    /// The most values in a header: some eight a tensor, so about 100,000 tensors.
    static let valueLimit = 1_000_000

    /// The texts under `__metadata__`.
    let metadata: [String: String]
    /// The tensors in the order of their bytes.
    let tensors: [SafetensorsTensor]

    /// Reads the header of a file whose content is `bytes`.
    init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
        guard bytes.count >= 8 else {
            throw SafetensorsError.tooShort(file: file, bytes: bytes.count)
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(SafetensorsHeader.lengthLimit) else {
            throw SafetensorsError.headerTooLong(
                file: file, bytes: length, limit: SafetensorsHeader.lengthLimit)
        }
        let dataStart = 8 + Int(length)
        guard dataStart <= bytes.count else {
            throw SafetensorsError.headerPastEnd(file: file, end: dataStart, size: bytes.count)
        }
        guard length > 0 else { throw SafetensorsError.headerEmpty(file: file) }
        let text = UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart])
        let object = try text.withMemoryRebound(to: UInt8.self) {
            try SafetensorsHeader.object(in: $0, file: file)
        }
        metadata = try SafetensorsHeader.metadata(in: object, file: file)
        let entries = try object.members.filter { !$0.key.isExactly("__metadata__") }
            .map { try SafetensorsEntry($0.value, name: $0.key, file: file) }
        let order = try SafetensorsHeader.order(
            entries, dataSize: bytes.count - dataStart, file: file)
        tensors = order.map { $0.tensor(dataStart: dataStart) }
    }

    private static func object(
        in text: UnsafeBufferPointer<UInt8>, file: String
    ) throws -> JSONObject {
        if let offset = UTF8Check.firstInvalid(in: text) {
            throw SafetensorsError.headerNotUTF8(file: file, offset: offset + 8)
        }
        var parser = JSONParser(
            text,
            options: JSONOptions(
                refusesDuplicateKeys: true, depthLimit: 8, valueLimit: valueLimit))
        let value: JSONValue
        do {
            value = try parser.document()
        } catch {
            if case .duplicateKey(let name) = error.fault {
                throw SafetensorsError.duplicateName(file: file, name: name)
            }
            let column = text[..<error.offset].count { $0 & 0xC0 != 0x80 } + 1
            throw SafetensorsError.headerNotJSON(file: file, column: column, fault: error.fault)
        }
        guard let object = value.objectValue else {
            throw SafetensorsError.headerKind(file: file, found: value.kind)
        }
        return object
    }

    private static func metadata(in object: JSONObject, file: String) throws -> [String: String] {
        guard let value = object["__metadata__"] else { return [:] }
        guard let members = value.objectValue?.members else {
            throw SafetensorsError.metadataKind(file: file, key: nil, found: value.kind)
        }
        var metadata: [String: String] = [:]
        for member in members {
            guard let text = member.value.stringValue else {
                throw SafetensorsError.metadataKind(
                    file: file, key: member.key, found: member.value.kind)
            }
            metadata[member.key] = text
        }
        return metadata
    }

    /// The entries by place, once it is certain that they cover the data exactly.
    private static func order(
        _ entries: [SafetensorsEntry], dataSize: Int, file: String
    ) throws -> [SafetensorsEntry] {
        let order = entries.sorted { ($0.begin, $0.end) < ($1.begin, $1.end) }
        var end = 0
        var last = ""
        for entry in order {
            guard entry.end <= dataSize else {
                throw SafetensorsError.dataPastEnd(
                    file: file, name: entry.name, end: entry.end, size: dataSize)
            }
            guard entry.begin >= end else {
                throw SafetensorsError.overlap(file: file, name: entry.name, other: last)
            }
            guard entry.begin == end else {
                throw SafetensorsError.gap(file: file, name: entry.name, bytes: entry.begin - end)
            }
            end = entry.end
            last = entry.name
        }
        guard end == dataSize else {
            throw SafetensorsError.leftover(file: file, bytes: dataSize - end)
        }
        return order
    }
}

/// One tensor's entry in a header, with everything checked that needs no other entry.
struct SafetensorsEntry {
    let name: String
    let type: ElementType
    let shape: [Int]
    let count: Int
    /// The first byte and the one after the last, from the end of the header.
    let begin: Int
    let end: Int

    /// Reads the entry `{"dtype": …, "shape": […], "data_offsets": [begin, end]}`.
    init(_ value: JSONValue, name: String, file: String) throws {
        self.name = name
        let fields: Fields
        do {
            fields = try Fields(value)
        } catch {
            throw SafetensorsError.entry(file: file, name: name, fault: error)
        }
        guard let type = ElementType(rawValue: fields.type) else {
            throw SafetensorsError.unknownType(file: file, name: name, found: fields.type)
        }
        self.type = type
        shape = fields.shape
        begin = fields.begin
        end = fields.end
        guard let count = SafetensorsEntry.product(shape),
            let bits = SafetensorsEntry.product([count, type.bits])
        else {
            throw SafetensorsError.shapeTooLarge(file: file, name: name, shape: shape)
        }
        self.count = count
        guard begin <= end else {
            throw SafetensorsError.offsetsReversed(file: file, name: name, begin: begin, end: end)
        }
        // Elements smaller than a byte must fill their last byte.
        guard bits % 8 == 0, end - begin == bits / 8 else {
            throw SafetensorsError.sizeMismatch(
                file: file, name: name, found: end - begin,
                expected: bits / 8 + (bits % 8 == 0 ? 0 : 1))
        }
    }

    func tensor(dataStart: Int) -> SafetensorsTensor {
        SafetensorsTensor(
            name: name, type: type, shape: shape, byteRange: dataStart + begin..<dataStart + end,
            count: count)
    }

    /// The product of factors, none negative; nil if it overflows.
    static func product(_ factors: [Int]) -> Int? {
        var product = 1
        for factor in factors {
            let (result, isTooLarge) = product.multipliedReportingOverflow(by: factor)
            if isTooLarge { return nil }
            product = result
        }
        return product
    }
}

/// The three fields of an entry, of the right kinds.
private struct Fields {
    let type: String
    let shape: [Int]
    let begin: Int
    let end: Int

    init(_ value: JSONValue) throws(SafetensorsError.EntryFault) {
        guard let object = value.objectValue else { throw .kind(found: value.kind) }
        for key in object.keys where !["dtype", "shape", "data_offsets"].contains(key) {
            throw .unknown(field: key)
        }
        guard let type = object["dtype"] else { throw .missing(field: "dtype") }
        guard let name = type.stringValue else {
            throw .field("dtype", found: type.kind, expected: "a string")
        }
        self.type = name
        shape = try Fields.sizes(object, "shape")
        let offsets = try Fields.sizes(object, "data_offsets")
        guard offsets.count == 2 else {
            throw .field("data_offsets", found: "\(offsets.count) integers", expected: "2")
        }
        begin = offsets[0]
        end = offsets[1]
    }

    /// An array of integers, none negative.
    private static func sizes(
        _ object: JSONObject, _ field: String
    ) throws(SafetensorsError.EntryFault) -> [Int] {
        guard let value = object[field] else { throw .missing(field: field) }
        guard let elements = value.arrayValue else {
            throw .field(field, found: value.kind, expected: "an array of integers")
        }
        var sizes: [Int] = []
        for element in elements {
            guard let size = element.integerValue, size >= 0 else {
                let found = element.numberValue == nil ? element.kind : JSONWriter().string(element)
                throw .field(field, found: found, expected: "integers of at least 0")
            }
            sizes.append(size)
        }
        return sizes
    }
}
