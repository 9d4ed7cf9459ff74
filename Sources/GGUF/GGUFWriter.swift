import Storage

/// A value of a pair in a GGUF file.
public enum GGUFValue: Equatable, Sendable {
    case uint8(UInt8)
    case int8(Int8)
    case uint16(UInt16)
    case int16(Int16)
    case uint32(UInt32)
    case int32(Int32)
    case float32(Float)
    case bool(Bool)
    /// A text as its bytes, which need not be UTF-8.
    case string([UInt8])
    /// Values of one type.
    case array(type: UInt32, [GGUFValue])
    case uint64(UInt64)
    case int64(Int64)
    case float64(Double)

    /// A text.
    public static func text(_ text: String) -> GGUFValue { .string(Array(text.utf8)) }
    /// Texts.
    public static func texts(_ texts: [[UInt8]]) -> GGUFValue {
        .array(type: 8, texts.map { .string($0) })
    }
    /// Integers.
    public static func integers(_ values: [Int32]) -> GGUFValue {
        .array(type: 5, values.map { .int32($0) })
    }
    /// Numbers.
    public static func floats(_ values: [Float]) -> GGUFValue {
        .array(type: 6, values.map { .float32($0) })
    }

    /// The number of the value's type in files.
    var type: UInt32 {
        switch self {
        case .uint8: 0
        case .int8: 1
        case .uint16: 2
        case .int16: 3
        case .uint32: 4
        case .int32: 5
        case .float32: 6
        case .bool: 7
        case .string: 8
        case .array: 9
        case .uint64: 10
        case .int64: 11
        case .float64: 12
        }
    }
}

/// How the elements of a tensor are kept in a GGUF file; by the file's number of the type.
public enum GGUFType: UInt32, CaseIterable, Sendable {
    /// Single precision.
    case f32 = 0
    /// Half precision.
    case f16 = 1
    /// Blocks of 32 integers of 8 bits, each with a factor in half precision.
    case q8_0 = 8
    /// The upper half of single precision.
    case bf16 = 30

    /// The name that llama.cpp gives it.
    public var name: String {
        switch self {
        case .f32: "f32"
        case .f16: "f16"
        case .q8_0: "q8_0"
        case .bf16: "bf16"
        }
    }

    /// How many elements are kept together, and in how many bytes.
    var block: (elements: Int, bytes: Int) {
        switch self {
        case .f32: (1, 4)
        case .f16, .bf16: (1, 2)
        case .q8_0: (32, 34)
        }
    }

    /// Appends elements.
    ///
    /// q8_0 keeps 32 elements as `d = max|x| / 127` and the integers nearest to `x / d`, ties away from zero.
    ///
    /// Source: `gguf.quants` of llama.cpp, bit for bit.
    ///
    /// - Parameters:
    ///   - values: Whole blocks.
    ///   - bytes: Where they go.
    /// - Returns: Whether all are finite in the file.
    func append(_ values: some RandomAccessCollection<Float>, to bytes: inout [UInt8]) -> Bool {
        var isFinite = true
        func append(half bits: UInt16) {
            isFinite = isFinite && bits & 0x7C00 != 0x7C00
            append(bits)
        }
        func append(_ bits: UInt16) {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
        }
        switch self {
        case .f32:
            for value in values {
                isFinite = isFinite && value.isFinite
                let bits = value.bitPattern
                append(UInt16(truncatingIfNeeded: bits))
                append(UInt16(truncatingIfNeeded: bits >> 16))
            }
        case .f16:
            for value in values { append(half: HalfPrecision.bits(value)) }
        case .bf16:
            for value in values {
                let bits = BFloat16.bits(value)
                isFinite = isFinite && BFloat16.float(bits).isFinite
                append(bits)
            }
        case .q8_0:
            var start = values.startIndex
            while start != values.endIndex {
                let end = values.index(start, offsetBy: 32)
                let block = values[start..<end]
                guard block.allSatisfy(\.isFinite) else { return false }
                let step = block.reduce(0) { max($0, abs($1)) } / 127
                let inverse = step < 0x1p-126 ? 0 : 1 / step
                append(half: HalfPrecision.bits(step))
                for value in block {
                    let quotient = (value * inverse).rounded(.toNearestOrAwayFromZero)
                    bytes.append(UInt8(bitPattern: Int8(quotient)))
                }
                start = end
            }
        }
        return isFinite
    }
}

/// A tensor to be written into a GGUF file.
public struct GGUFTensor {
    /// The name, of at most 63 bytes.
    public let name: String
    /// The size of each axis, the slowest first.
    public let shape: [Int]
    /// How its elements are kept.
    public let type: GGUFType
    /// Hands the elements over in row-major order, any number at a time that is a multiple of 32 but the last.
    let write: (GGUFSink) throws -> Void

    /// Describes a tensor.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - shape: The size of each axis, the slowest first.
    ///   - type: How its elements are to be kept; half precision stands in for blocks that do not fill the rows.
    ///   - write: Hands the elements over.
    init(
        _ name: String, shape: [Int], type: GGUFType,
        write: @escaping (GGUFSink) throws -> Void
    ) {
        (self.name, self.shape, self.write) = (name, shape, write)
        self.type = (shape.last ?? 1) % type.block.elements == 0 ? type : .f16
    }

    /// The size in the file.
    var byteCount: Int { shape.reduce(1, *) / type.block.elements * type.block.bytes }
}

/// Takes the elements of one tensor on their way into a file.
final class GGUFSink {
    private let tensor: GGUFTensor
    private let writer: FileWriter
    private let path: String
    fileprivate private(set) var written = 0

    fileprivate init(_ tensor: GGUFTensor, writer: FileWriter, path: String) {
        (self.tensor, self.writer, self.path) = (tensor, writer, path)
    }

    /// Writes the next elements.
    ///
    /// - Parameter values: Whole blocks of the tensor's type.
    /// - Throws: ``GGUFError/notFinite(file:tensor:type:)`` or `FileError`.
    func write(_ values: some RandomAccessCollection<Float>) throws {
        var rest = values[...]
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            bytes.removeAll(keepingCapacity: true)
            guard tensor.type.append(rest.prefix(1 << 15), to: &bytes) else {
                throw GGUFError.notFinite(
                    file: path, tensor: tensor.name, type: tensor.type.name)
            }
            try writer.write(bytes)
            written += bytes.count
            rest = rest.dropFirst(1 << 15)
        }
    }
}

/// Writes GGUF files, tensor after tensor, so that no second copy of a model is in memory.
public enum GGUFWriter {
    static let magic = Array("GGUF".utf8)
    static let version: UInt32 = 3
    /// Tensors begin at multiples of it.
    static let alignment = 32

    /// Writes a file under a neighbour name and renames it when it is complete.
    ///
    /// - Parameters:
    ///   - content: What is to be written.
    ///   - path: The file, replaced if it exists.
    /// - Throws: ``GGUFError`` if a value is not finite in its type, or `FileError`; then nothing is left behind.
    public static func write(_ content: GGUFContent, to path: String) throws {
        try AtomicFile.write(to: path) { writer in
            try writer.write(header(content))
            for tensor in content.tensors {
                let sink = GGUFSink(tensor, writer: writer, path: path)
                try tensor.write(sink)
                precondition(
                    sink.written == tensor.byteCount,
                    "tensor '\(tensor.name)' has \(sink.written) of \(tensor.byteCount) bytes")
                try writer.write(padding(after: tensor.byteCount))
            }
        }
    }

    /// All before the data.
    private static func header(_ content: GGUFContent) -> [UInt8] {
        var bytes = LittleEndianBytes()
        bytes.bytes += magic
        bytes.append(version)
        bytes.append(UInt64(content.tensors.count))
        bytes.append(UInt64(content.pairs.count))
        for (key, value) in content.pairs {
            bytes.append(Array(key.utf8))
            bytes.append(value.type)
            bytes.append(value)
        }
        var offset = 0
        for tensor in content.tensors {
            precondition(tensor.name.utf8.count < 64, "tensor name '\(tensor.name)' is too long")
            bytes.append(Array(tensor.name.utf8))
            bytes.append(UInt32(tensor.shape.count))
            for size in tensor.shape.reversed() { bytes.append(UInt64(size)) }
            bytes.append(tensor.type.rawValue)
            bytes.append(UInt64(offset))
            offset += tensor.byteCount + padding(after: tensor.byteCount).count
        }
        return bytes.bytes + padding(after: bytes.bytes.count)
    }

    private static func padding(after count: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: (alignment - count % alignment) % alignment)
    }
}

/// What a GGUF file is made of.
public struct GGUFContent {
    /// What it says of itself, in the file's order.
    public var pairs: [(key: String, value: GGUFValue)]
    /// The tensors, in the file's order.
    public var tensors: [GGUFTensor]
    /// What is worth knowing, a sentence each.
    public var notes: [String] = []
}

/// Bytes that grow by numbers.
private struct LittleEndianBytes {
    var bytes: [UInt8] = []

    mutating func append(_ value: some FixedWidthInteger) {
        var rest = value
        for _ in 0..<(value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// A text, after its length.
    mutating func append(_ text: [UInt8]) {
        append(UInt64(text.count))
        bytes += text
    }

    /// A value without its type.
    mutating func append(_ value: GGUFValue) {
        switch value {
        case .uint8(let value): append(value)
        case .int8(let value): append(value)
        case .uint16(let value): append(value)
        case .int16(let value): append(value)
        case .uint32(let value): append(value)
        case .int32(let value): append(value)
        case .float32(let value): append(value.bitPattern)
        case .bool(let value): append(UInt8(value ? 1 : 0))
        case .string(let text): append(text)
        case .array(let type, let elements):
            append(type)
            append(UInt64(elements.count))
            for element in elements { append(element) }
        case .uint64(let value): append(value)
        case .int64(let value): append(value)
        case .float64(let value): append(value.bitPattern)
        }
    }
}
