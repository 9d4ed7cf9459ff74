/// A value of Thrift, as Parquet's headers are made of.
///
/// Source: Thrift's compact protocol; maps, which Parquet does not use, are refused.
enum ThriftValue {
    case bool(Bool)
    case integer(Int)
    case double
    case bytes(Range<Int>)
    case list([ThriftValue])
    case structure([(id: Int, value: ThriftValue)])

    /// A field of a structure, nil if it is left out or this is no structure.
    subscript(id: Int) -> ThriftValue? {
        guard case .structure(let fields) = self else { return nil }
        return fields.first { $0.id == id }?.value
    }

    /// The number, nil if this is none.
    var integer: Int? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The elements; none if this is no list.
    var elements: [ThriftValue] {
        if case .list(let elements) = self { elements } else { [] }
    }

    /// The id of the one field that a union has.
    var unionCase: Int? {
        if case .structure(let fields) = self { fields.first?.id } else { nil }
    }
}

/// Reads structures of Thrift's compact protocol.
struct ThriftReader {
    /// What is wrong, and where.
    struct Fault: Error {
        let offset: Int
        let text: String
    }

    /// The next byte.
    private(set) var position: Int
    private let bytes: UnsafeRawBufferPointer
    private let end: Int
    private var valuesLeft: Int

    private static let depthLimit = 16

    /// Starts at a place.
    ///
    /// - Parameters:
    ///   - bytes: The whole file, so that places are those in it.
    ///   - range: What may be read of it.
    ///   - valueLimit: The most values a structure may have in all.
    init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>, valueLimit: Int = 3_000_000) {
        (self.bytes, position, end) = (bytes, range.lowerBound, range.upperBound)
        valuesLeft = valueLimit
    }

    /// Reads a structure.
    mutating func structure(depth: Int = 0) throws(Fault) -> ThriftValue {
        guard depth < Self.depthLimit else { throw fault("structures too deep in one another") }
        var fields: [(id: Int, value: ThriftValue)] = []
        var id = 0
        while true {
            let header = try byte()
            if header == 0 { return .structure(fields) }
            let step = Int(header >> 4)
            id = step > 0 ? id + step : try zigzag()
            guard (1...1 << 15).contains(id) else { throw fault("a field number \(id)") }
            fields.append((id, try value(header & 15, isElement: false, depth: depth)))
        }
    }

    private mutating func value(
        _ kind: UInt8, isElement: Bool, depth: Int
    ) throws(Fault) -> ThriftValue {
        valuesLeft -= 1
        guard valuesLeft > 0 else { throw fault("more values than any header has") }
        switch kind {
        case 1, 2: return .bool(isElement ? try byte() == 1 : kind == 1)
        case 3: return .integer(Int(Int8(bitPattern: try byte())))
        case 4, 5, 6: return .integer(try zigzag())
        case 7:
            _ = try take(8)
            return .double
        case 8: return .bytes(try take(try length()))
        case 9, 10:
            let header = try byte()
            let count = header >> 4 == 15 ? try length() : Int(header >> 4)
            // Every element has a byte at least.
            guard count <= end - position else { throw fault("a list of \(count) elements") }
            var elements: [ThriftValue] = []
            elements.reserveCapacity(count)
            for _ in 0..<count {
                elements.append(try value(header & 15, isElement: true, depth: depth + 1))
            }
            return .list(elements)
        case 12: return try structure(depth: depth + 1)
        default: throw fault("a value of unknown kind \(kind)")
        }
    }

    private mutating func byte() throws(Fault) -> UInt8 { bytes[try take(1).lowerBound] }

    private mutating func take(_ count: Int) throws(Fault) -> Range<Int> {
        guard count <= end - position else { throw fault("an end within a header") }
        defer { position += count }
        return position..<position + count
    }

    private mutating func length() throws(Fault) -> Int {
        let value = try varint()
        guard value <= UInt64(end) else { throw fault("a length of \(value) bytes") }
        return Int(value)
    }

    private mutating func zigzag() throws(Fault) -> Int {
        let value = try varint()
        return Int(truncatingIfNeeded: value >> 1) ^ -Int(value & 1)
    }

    private mutating func varint() throws(Fault) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0 as UInt64, to: 70, by: 7) {
            let next = try byte()
            value |= UInt64(next & 127) << shift
            if next < 128 { return value }
        }
        throw fault("a number without an end")
    }

    private func fault(_ text: String) -> Fault { Fault(offset: position, text: text) }
}
