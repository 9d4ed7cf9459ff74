/// Decompresses blocks of Snappy and LZ4, which have no library of their own here.
///
/// Both are literals and copies of what came before. Nothing is written beyond the size that is expected,
/// and what is too short, too long or points before the beginning is nil.
enum BlockCompression {
    /// Source: Snappy's format description.
    static func snappy(_ source: UnsafeRawBufferPointer, size: Int) -> [UInt8]? {
        var input = Input(bytes: source)
        var declared = 0
        var shift = 0
        while true {
            guard let byte = input.next(), shift < 35 else { return nil }
            declared |= Int(byte & 127) << shift
            if byte < 128 { break }
            shift += 7
        }
        guard declared == size else { return nil }
        return output(size) { output in
            while let tag = input.next() {
                let upper = Int(tag >> 2)
                switch tag & 3 {
                case 0:
                    let extra = max(0, upper - 59)
                    guard let length = extra == 0 ? upper : input.number(extra),
                        let literal = input.take(length + 1), output.append(literal)
                    else { return false }
                case 1:
                    guard let low = input.next(),
                        output.copy(4 + (upper & 7), from: (upper >> 3) << 8 | Int(low))
                    else { return false }
                case let kind:
                    guard let offset = input.number(kind == 2 ? 2 : 4),
                        output.copy(upper + 1, from: offset)
                    else { return false }
                }
            }
            return true
        }
    }

    /// Source: LZ4's block format.
    static func lz4(_ source: UnsafeRawBufferPointer, size: Int) -> [UInt8]? {
        var input = Input(bytes: source)
        func length(_ nibble: UInt8) -> Int? {
            var length = Int(nibble)
            while nibble == 15 {
                guard let byte = input.next() else { return nil }
                length += Int(byte)
                if byte < 255 { break }
            }
            return length
        }
        return output(size) { output in
            while let token = input.next() {
                guard let literals = length(token >> 4), let literal = input.take(literals),
                    output.append(literal)
                else { return false }
                // The last sequence is literals alone.
                if input.isAtEnd { return true }
                guard let offset = input.number(2), let more = length(token & 15),
                    output.copy(more + 4, from: offset)
                else { return false }
            }
            return size == 0
        }
    }

    private struct Input {
        let bytes: UnsafeRawBufferPointer
        var position = 0
        var isAtEnd: Bool { position == bytes.count }

        mutating func next() -> UInt8? {
            guard position < bytes.count else { return nil }
            defer { position += 1 }
            return bytes[position]
        }

        mutating func number(_ count: Int) -> Int? {
            take(count)?.reversed().reduce(0) { $0 << 8 | Int($1) }
        }

        mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
            guard count <= bytes.count - position else { return nil }
            defer { position += count }
            return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
        }
    }

    private struct Output {
        let bytes: UnsafeMutableBufferPointer<UInt8>
        var count = 0

        mutating func append(_ literal: UnsafeRawBufferPointer) -> Bool {
            guard literal.count <= bytes.count - count else { return false }
            UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: bytes[count...]))
                .copyBytes(from: literal)
            count += literal.count
            return true
        }

        /// Copies forward byte by byte: a copy that overlaps itself repeats what it began with.
        mutating func copy(_ length: Int, from offset: Int) -> Bool {
            guard (1...count + 1).contains(offset), offset <= count, length <= bytes.count - count
            else { return false }
            for index in count..<count + length { bytes[index] = bytes[index - offset] }
            count += length
            return true
        }
    }

    /// The bytes that `body` writes; nil if it fails or writes fewer.
    private static func output(_ size: Int, _ body: (inout Output) -> Bool) -> [UInt8]? {
        var isWhole = false
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var output = Output(
                bytes: UnsafeMutableBufferPointer(rebasing: buffer[..<size]))
            isWhole = body(&output) && output.count == size
            count = output.count
        }
        return isWhole ? bytes : nil
    }
}
