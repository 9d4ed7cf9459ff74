/// Reads the fields of one protobuf message.
///
/// Source: the Protocol Buffers encoding guide. Groups, which no one writes any more, are refused.
struct ProtobufReader {
    /// A field's content, by its wire type.
    enum Content {
        case varint(UInt64)
        case fixed64
        case bytes(Range<Int>)
        case fixed32(UInt32)
    }

    /// The message ends within a field, or a field is of no known wire type.
    struct Malformed: Error {}

    private let bytes: [UInt8]
    private var position: Int
    private let end: Int

    /// A reader of a message that is a part of a file.
    init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next field; nil at the end.
    mutating func next() throws -> (number: UInt64, content: Content)? {
        if position == end { return nil }
        let key = try varint()
        switch key & 7 {
        case 0: return (key >> 3, .varint(try varint()))
        case 1:
            _ = try take(8)
            return (key >> 3, .fixed64)
        case 2:
            guard let count = Int(exactly: try varint()) else { throw Malformed() }
            return (key >> 3, .bytes(try take(count)))
        case 5:
            let value = bytes[try take(4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return (key >> 3, .fixed32(value))
        default: throw Malformed()
        }
    }

    private mutating func take(_ count: Int) throws -> Range<Int> {
        guard count <= end - position else { throw Malformed() }
        defer { position += count }
        return position..<(position + count)
    }

    private mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            let byte = bytes[try take(1).lowerBound]
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw Malformed()
    }
}
