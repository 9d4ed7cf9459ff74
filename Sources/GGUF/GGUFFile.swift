import Storage

/// A GGUF file, its header read completely and checked against the file's size.
///
/// Stricter than llama.cpp: only the types that ``GGUFWriter`` writes, tensors in the order of their bytes without
/// gap or overlap, names and keys that are used once.
public struct GGUFFile {
    /// A tensor of the file.
    public struct Entry: Equatable, Sendable {
        /// The name.
        public let name: String
        /// The size of each axis, the slowest first.
        public let shape: [Int]
        /// How the elements are kept.
        public let type: GGUFType
        /// Where they are in the file.
        let byteRange: Range<Int>
    }

    /// The pairs in the file's order.
    public let pairs: [(key: String, value: GGUFValue)]
    /// The tensors in the file's order.
    public let tensors: [Entry]
    private let mapping: MappedFile

    /// Reads a file's header.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``GGUFError`` or `FileError`.
    public init(path: String) throws {
        let mapping = try MappedFile(path: path)
        var reader = HeaderReader(mapping, path: path)
        (pairs, tensors) = try reader.header()
        self.mapping = mapping
    }

    /// The value of a key; nil if there is none.
    public subscript(key: String) -> GGUFValue? { pairs.first { $0.key == key }?.value }

    /// The text of a key; nil if there is none.
    public func text(_ key: String) -> String? {
        guard case .string(let bytes) = self[key] else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bytes of a tensor of this file.
    public func bytes(of tensor: Entry) -> [UInt8] { mapping.copy(tensor.byteRange) }

    /// Whether a file begins as GGUF files do.
    public static func isOne(_ path: String) -> Bool {
        guard let mapping = try? MappedFile(path: path), mapping.count >= 4 else { return false }
        return mapping.copy(0..<4) == GGUFWriter.magic
    }
}

/// Goes through a header from front to back.
private struct HeaderReader {
    /// More than any model has.
    private static let (pairLimit, tensorLimit, elementLimit, textLimit) =
        (4096, 1 << 17, 1 << 21, 1 << 24)

    private let mapping: MappedFile
    private let path: String
    private var position = 0

    init(_ mapping: MappedFile, path: String) { (self.mapping, self.path) = (mapping, path) }

    mutating func header() throws -> ([(key: String, value: GGUFValue)], [GGUFFile.Entry]) {
        guard mapping.count >= 4, mapping.copy(0..<4) == GGUFWriter.magic else {
            throw GGUFError.notGGUF(file: path, found: "other bytes than 'GGUF'")
        }
        position = 4
        let version: UInt32 = try integer("the version")
        guard version == GGUFWriter.version else {
            throw GGUFError.notGGUF(file: path, found: "version \(version)")
        }
        let tensorCount = try count("the number of tensors", limit: Self.tensorLimit)
        let pairCount = try count("the number of pairs", limit: Self.pairLimit)
        var pairs: [(key: String, value: GGUFValue)] = []
        var keys: Set<[UInt8]> = []
        for _ in 0..<pairCount {
            let key = try text("a key")
            let name = String(decoding: key, as: UTF8.self)
            guard !key.isEmpty, keys.insert(key).inserted else {
                throw malformed("key", "'\(name)'", "a name that is used once")
            }
            let type: UInt32 = try integer("a type")
            pairs.append((name, try value(of: type, key: name)))
        }
        var places: [(name: String, shape: [Int], type: GGUFType, offset: UInt64)] = []
        var names: Set<[UInt8]> = []
        for _ in 0..<tensorCount { places.append(try tensor(&names)) }
        return (pairs, try entries(places))
    }

    private mutating func tensor(
        _ names: inout Set<[UInt8]>
    ) throws -> (name: String, shape: [Int], type: GGUFType, offset: UInt64) {
        let bytes = try text("a tensor's name")
        let name = String(decoding: bytes, as: UTF8.self)
        guard !bytes.isEmpty, bytes.count < 64, names.insert(bytes).inserted else {
            throw malformed("tensor name", "'\(name)'", "a name of 63 bytes that is used once")
        }
        let axes: UInt32 = try integer("a number of axes")
        guard (1...4).contains(axes) else {
            throw malformed("axes of tensor '\(name)'", "\(axes)", "1 to 4")
        }
        let shape = try (0..<axes).map { _ in
            try count("a size of tensor '\(name)'", limit: 1 << 40)
        }
        let number: UInt32 = try integer("a tensor's type")
        guard let type = GGUFType(rawValue: number) else {
            let known = GGUFType.allCases.map { "\($0.rawValue) (\($0.name))" }
            throw malformed(
                "type of tensor '\(name)'", "\(number)", known.joined(separator: ", "))
        }
        guard shape[0] % type.block.elements == 0 else {
            throw malformed(
                "row of tensor '\(name)'", "\(shape[0])",
                "a multiple of \(type.block.elements)")
        }
        return (name, shape.reversed(), type, try integer("an offset"))
    }

    /// The tensors, once it is certain that they cover the data exactly.
    private func entries(
        _ places: [(name: String, shape: [Int], type: GGUFType, offset: UInt64)]
    ) throws -> [GGUFFile.Entry] {
        func aligned(_ count: Int) -> Int {
            (count + GGUFWriter.alignment - 1) / GGUFWriter.alignment * GGUFWriter.alignment
        }
        let start = aligned(position)
        var end = start
        let entries = try places.map { name, shape, type, offset in
            var elements = 1
            for size in shape {
                let (product, isTooLarge) = elements.multipliedReportingOverflow(by: size)
                guard !isTooLarge, product < 1 << 48 else {
                    throw malformed("shape of tensor '\(name)'", "\(shape)", "fewer elements")
                }
                elements = product
            }
            let bytes = elements / type.block.elements * type.block.bytes
            guard offset == UInt64(end - start) else {
                throw malformed(
                    "offset of tensor '\(name)'", "\(offset)", "\(end - start)")
            }
            guard bytes <= mapping.count - end else {
                throw malformed(
                    "end of tensor '\(name)'", "\(end + bytes)", "at most \(mapping.count)")
            }
            defer { end = aligned(end + bytes) }
            return GGUFFile.Entry(
                name: name, shape: shape, type: type, byteRange: end..<(end + bytes))
        }
        guard end == mapping.count || places.isEmpty else {
            throw malformed("end of the data", "\(end)", "\(mapping.count), the file's size")
        }
        return entries
    }

    private mutating func value(of type: UInt32, key: String) throws -> GGUFValue {
        switch type {
        case 0: return .uint8(try integer(key))
        case 1: return .int8(try integer(key))
        case 2: return .uint16(try integer(key))
        case 3: return .int16(try integer(key))
        case 4: return .uint32(try integer(key))
        case 5: return .int32(try integer(key))
        case 6: return .float32(Float(bitPattern: try integer(key)))
        case 7:
            let byte: UInt8 = try integer(key)
            guard byte < 2 else { throw malformed("'\(key)'", "\(byte)", "0 or 1") }
            return .bool(byte == 1)
        case 8: return .string(try text(key))
        case 9:
            let type: UInt32 = try integer(key)
            guard type != 9 else { throw malformed("'\(key)'", "a list of lists", "a list") }
            let count = try count("the length of '\(key)'", limit: Self.elementLimit)
            // Every element takes a byte at least, so a lying number cannot ask for memory.
            guard count <= mapping.count - position else {
                throw malformed("the length of '\(key)'", "\(count)", "what the file has room for")
            }
            return .array(type: type, try (0..<count).map { _ in try value(of: type, key: key) })
        case 10: return .uint64(try integer(key))
        case 11: return .int64(try integer(key))
        case 12: return .float64(Double(bitPattern: try integer(key)))
        default: throw malformed("type of '\(key)'", "\(type)", "0 to 12")
        }
    }

    private mutating func count(_ what: String, limit: Int) throws -> Int {
        let number: UInt64 = try integer(what)
        guard number <= UInt64(limit) else {
            throw malformed(what, "\(number)", "at most \(limit)")
        }
        return Int(number)
    }

    private mutating func text(_ what: String) throws -> [UInt8] {
        mapping.copy(try take(try count("the length of \(what)", limit: Self.textLimit), what))
    }

    private mutating func integer<Value: FixedWidthInteger>(_ what: String) throws -> Value {
        let range = try take(Value.bitWidth / 8, what)
        return mapping.copy(range).reversed().reduce(Value.zero) {
            $0 << 8 | Value(truncatingIfNeeded: $1)
        }
    }

    private mutating func take(_ count: Int, _ what: String) throws -> Range<Int> {
        guard count <= mapping.count - position else {
            throw malformed(what, "cut off", "\(count) bytes")
        }
        defer { position += count }
        return position..<(position + count)
    }

    private func malformed(_ what: String, _ found: String, _ expected: String) -> GGUFError {
        .malformed(
            file: path, offset: position, what: what, found: found, expected: expected)
    }
}
