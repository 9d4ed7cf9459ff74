import CZlib

/// The entries of one column of a row group, one after the other; a page is held at a time.
///
/// An entry is a value or a null. Where a list is empty there is one, too, with the level at which it ends.
///
/// Source: Parquet's format, "Data Pages" and Encodings.md.
final class ParquetColumn {
    /// The repetition level of the next entry; 0 where a row begins.
    private(set) var repetition = 0
    /// The definition level of the next entry.
    private(set) var definition = 0
    /// Whether there is no further entry.
    private(set) var isAtEnd = false

    private let leaf: ParquetLeaf
    private let codec: Int
    private let file: ParquetBytes
    private var position: Int
    private let end: Int
    private var entriesLeft: Int

    private var dictionary: [JSONValue] = []
    private var dictionaryCost = 0
    private var page: [UInt8] = []
    private var pageEntries = 0
    private var repetitions: HybridReader?
    private var definitions: HybridReader?
    private var values = Values.plain(position: 0)

    /// Where a page's values are: in it, or by their number in the dictionary.
    private enum Values {
        case plain(position: Int)
        case numbers(HybridReader)
        case bits(HybridReader)
    }

    /// Starts at the first entry.
    ///
    /// - Parameters:
    ///   - leaf: What the column holds.
    ///   - chunk: What the footer says of it.
    ///   - file: The file's bytes.
    /// - Throws: ``ParquetError``.
    init(_ leaf: ParquetLeaf, chunk: ThriftValue, file: ParquetBytes) throws {
        (self.leaf, self.file) = (leaf, file)
        guard let size = chunk[7]?.integer, let entries = chunk[5]?.integer,
            let firstPage = chunk[9]?.integer, entries >= 0
        else {
            throw file.damaged(at: file.footer, "a column \(quoted(leaf.path)) without its place")
        }
        codec = chunk[4]?.integer ?? 0
        let start = chunk[11]?.integer.map { $0 > 0 ? min($0, firstPage) : firstPage } ?? firstPage
        // A table without rows has no pages, and no place for them.
        guard start >= (entries > 0 ? 4 : 0), size >= 0, start <= file.footer,
            size <= file.footer - start
        else {
            throw file.damaged(at: file.footer, "a column \(quoted(leaf.path)) outside of the file")
        }
        (position, end, entriesLeft) = (start, start + size, entries)
        try advance()
    }

    /// Gives back the memory that is held.
    deinit { file.release(page.count + dictionaryCost) }

    /// Takes the next entry's value, null where it has none.
    func take() throws -> JSONValue {
        let value = definition == leaf.definition ? try value() : .null
        try advance()
        return value
    }

    /// Passes the next entry, which has no value.
    func skip() throws {
        guard definition < leaf.definition else { throw damaged("a value where a list is empty") }
        try advance()
    }

    /// Goes on to the next entry's levels.
    private func advance() throws {
        guard entriesLeft > 0 else {
            isAtEnd = true
            return
        }
        while pageEntries == 0 { try readPage() }
        (entriesLeft, pageEntries) = (entriesLeft - 1, pageEntries - 1)
        repetition = try number(&repetitions) ?? 0
        definition = try number(&definitions) ?? 0
        guard repetition <= leaf.repetition, definition <= leaf.definition else {
            throw damaged("a level beyond the greatest")
        }
    }

    private func number(_ reader: inout HybridReader?) throws -> Int? {
        guard reader != nil else { return nil }
        guard let number = reader?.next(in: page) else {
            throw damaged("levels that end too early")
        }
        return number
    }

    private func value() throws -> JSONValue {
        switch values {
        case .numbers(var reader):
            guard let number = reader.next(in: page) else {
                throw damaged("numbers of values that end too early")
            }
            values = .numbers(reader)
            guard number < dictionary.count else {
                throw damaged("value \(number) of a dictionary of \(dictionary.count)")
            }
            try file.count(dictionary[number])
            return dictionary[number]
        case .bits(var reader):
            guard let bit = reader.next(in: page) else {
                throw damaged("truth values that end too early")
            }
            values = .bits(reader)
            return .bool(bit == 1)
        case .plain(var place):
            let value = try plain(page, &place)
            values = .plain(position: place)
            try file.count(value)
            return value
        }
    }

    /// A value as it is, and the place behind it.
    private func plain(_ bytes: [UInt8], _ place: inout Int) throws -> JSONValue {
        func take(_ count: Int) throws -> ArraySlice<UInt8> {
            guard count <= bytes.count - place else { throw damaged("values that end too early") }
            defer { place += count }
            return bytes[place..<place + count]
        }
        func number(_ count: Int) throws -> UInt64 {
            try take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch leaf.kind {
        case .text:
            let text = try take(Int(try number(4)))
            guard let text = String(validating: text, as: UTF8.self) else {
                throw damaged("a text that is not UTF-8")
            }
            return .string(text)
        case .integer(4, let isSigned):
            let bits = UInt32(try number(4))
            return .integer(isSigned ? Int(Int32(bitPattern: bits)) : Int(bits))
        case .integer(_, let isSigned):
            let bits = try number(8)
            if isSigned { return .integer(Int(Int64(bitPattern: bits))) }
            return Int(exactly: bits).map { .integer($0) } ?? .number(Double(bits))
        case .float: return .number(Double(Float(bitPattern: UInt32(try number(4)))))
        case .double: return .number(Double(bitPattern: try number(8)))
        case .bool, .null: throw damaged("a value where none can be")
        }
    }
}

extension ParquetColumn {
    /// Reads the next page; leaves none where it has no entries.
    private func readPage() throws {
        guard position < end else { throw damaged("\(entriesLeft) entries fewer than it says") }
        let header = try file.structure(in: position..<end, limit: 1000)
        let start = header.end
        guard let kind = header.value[1]?.integer, let size = header.value[2]?.integer,
            let stored = header.value[3]?.integer, size >= 0, stored >= 0, stored <= end - start
        else { throw damaged("a page without its sizes") }
        let content = UnsafeRawBufferPointer(
            rebasing: file.bytes[start..<start + stored])
        if let sum = header.value[4]?.integer {
            let found = crc32_z(0, content.bindMemory(to: UInt8.self).baseAddress, stored)
            guard UInt32(truncatingIfNeeded: sum) == UInt32(found) else {
                throw damaged("a page whose sum is another")
            }
        }
        switch kind {
        case 0:
            guard let fields = header.value[5] else { throw damaged("a page without a header") }
            try hold(try decompressed(content, size: size))
            try begin(fields)
        case 2:
            guard let fields = header.value[7] else { throw damaged("a page without a header") }
            try readDictionary(fields, try decompressed(content, size: size))
        case 3:
            guard let fields = header.value[8] else { throw damaged("a page without a header") }
            try beginSecondVersion(fields, content, size: size)
        default: break
        }
        position = start + stored
    }

    private func readDictionary(_ fields: ThriftValue, _ bytes: [UInt8]) throws {
        let count = fields[1]?.integer ?? -1
        try requireEncoding(fields[2]?.integer ?? 0, among: [0, 2])
        let cost = bytes.count + max(0, count) * MemoryLayout<JSONValue>.stride
        // A value has 4 bytes at least.
        guard (0...bytes.count / 4).contains(count) else {
            throw damaged("a dictionary of \(count) values in \(bytes.count) bytes")
        }
        try file.hold(cost)
        file.release(dictionaryCost)
        dictionaryCost = cost
        var place = 0
        dictionary = []
        dictionary.reserveCapacity(count)
        for _ in 0..<count { dictionary.append(try plain(bytes, &place)) }
    }

    /// A page of the first version: levels with their lengths, then values, all compressed together.
    private func begin(_ fields: ThriftValue) throws {
        var place = 0
        func levels(_ greatest: Int, _ encoding: Int) throws -> HybridReader? {
            if greatest == 0 { return nil }
            guard encoding == 3 else {
                throw ParquetError.encoding(
                    file: file.path, column: leaf.path, found: ParquetError.encodingName(encoding))
            }
            return HybridReader(
                range: try lengthAndRange(&place), width: HybridReader.width(of: greatest))
        }
        repetitions = try levels(leaf.repetition, fields[4]?.integer ?? 3)
        definitions = try levels(leaf.definition, fields[3]?.integer ?? 3)
        try beginValues(fields[2]?.integer ?? 0, at: place)
        try setEntries(fields[1]?.integer)
    }

    /// A page of the second version: levels as they are, then values, compressed alone.
    private func beginSecondVersion(
        _ fields: ThriftValue, _ content: UnsafeRawBufferPointer, size: Int
    ) throws {
        guard let definitionBytes = fields[5]?.integer, let repetitionBytes = fields[6]?.integer,
            definitionBytes >= 0, repetitionBytes >= 0, definitionBytes <= content.count,
            repetitionBytes <= content.count - definitionBytes,
            repetitionBytes + definitionBytes <= size
        else { throw damaged("levels longer than their page") }
        let levels = repetitionBytes + definitionBytes
        var bytes = Array(content[..<levels])
        let rest = UnsafeRawBufferPointer(rebasing: content[levels...])
        if case .bool(false)? = fields[7] {
            bytes += rest
        } else {
            bytes += try decompressed(rest, size: size - levels)
        }
        try hold(bytes)
        repetitions =
            leaf.repetition == 0
            ? nil
            : HybridReader(
                range: 0..<repetitionBytes, width: HybridReader.width(of: leaf.repetition))
        definitions =
            leaf.definition == 0
            ? nil
            : HybridReader(
                range: repetitionBytes..<levels, width: HybridReader.width(of: leaf.definition))
        try beginValues(fields[4]?.integer ?? 0, at: levels)
        try setEntries(fields[1]?.integer)
    }

    private func beginValues(_ encoding: Int, at start: Int) throws {
        let isBool = leaf.kind == .bool
        try requireEncoding(encoding, among: isBool ? [0, 2, 3, 8] : [0, 2, 8])
        switch encoding {
        case 3:
            var place = start
            values = .bits(HybridReader(range: try lengthAndRange(&place), width: 1))
        case 0 where isBool:
            values = .bits(HybridReader(packedBitsIn: start..<page.count))
        case 0: values = .plain(position: start)
        default:
            // A page without values need not have the width.
            let width = start < page.count ? Int(page[start]) : 0
            guard width <= 32 else { throw damaged("numbers of \(width) bits") }
            values = .numbers(
                HybridReader(range: min(start + 1, page.count)..<page.count, width: width))
        }
    }

    private func setEntries(_ count: Int?) throws {
        guard let count, (0...entriesLeft).contains(count) else {
            throw damaged("a page of \(count ?? -1) entries, expected at most \(entriesLeft)")
        }
        pageEntries = count
    }

    /// Reads a length of four bytes in the page, and passes what has this length.
    private func lengthAndRange(_ place: inout Int) throws -> Range<Int> {
        guard place + 4 <= page.count else { throw damaged("a page that ends too early") }
        let length = page[place..<place + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= page.count - place - 4 else {
            throw damaged("a page that ends too early")
        }
        let range = place + 4..<place + 4 + length
        place = range.upperBound
        return range
    }

    private func requireEncoding(_ encoding: Int, among known: [Int]) throws {
        guard known.contains(encoding) else {
            throw ParquetError.encoding(
                file: file.path, column: leaf.path, found: ParquetError.encodingName(encoding))
        }
    }

    /// Takes a page in the place of the one before.
    private func hold(_ bytes: [UInt8]) throws {
        file.release(page.count)
        page = []
        try file.hold(bytes.count)
        page = bytes
    }

    private func decompressed(_ content: UnsafeRawBufferPointer, size: Int) throws -> [UInt8] {
        guard size <= ParquetBytes.pageLimit else {
            throw ParquetError.tooLarge(
                file: file.path, what: "a page of \(size) bytes", limit: ParquetBytes.pageLimit)
        }
        let bytes: [UInt8]?
        switch codec {
        case 0: bytes = content.count == size ? Array(content) : nil
        case 1: bytes = BlockCompression.snappy(content, size: size)
        case 2: bytes = try decoded(content, size: size, by: GzipDecoder())
        case 6: bytes = try decoded(content, size: size, by: ZstdDecoder())
        case 7: bytes = BlockCompression.lz4(content, size: size)
        case let codec:
            let names = [3: "LZO", 4: "Brotli", 5: "LZ4 of the old form"]
            throw ParquetError.compression(
                file: file.path, column: leaf.path, found: names[codec] ?? "number \(codec)")
        }
        guard let bytes else { throw damaged("compressed data that are damaged") }
        return bytes
    }

    private func decoded(
        _ content: UnsafeRawBufferPointer, size: Int, by decoder: any StreamDecoder
    ) throws -> [UInt8]? {
        var input = content[...]
        var bytes: [UInt8] = []
        // What is said of the size is believed as far as there is something behind it.
        bytes.reserveCapacity(min(size, 1 << 20))
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
        defer { chunk.deallocate() }
        while bytes.count < size || !input.isEmpty {
            guard
                let step = try? decoder.step(UnsafeRawBufferPointer(rebasing: input), into: chunk),
                step.produced <= size - bytes.count, step.produced + step.consumed > 0
            else { return nil }
            bytes.append(contentsOf: chunk[..<step.produced])
            input = input.dropFirst(step.consumed)
        }
        return bytes
    }

    private func damaged(_ text: String) -> ParquetError {
        file.damaged(at: position, "\(text), in column \(quoted(leaf.path))")
    }
}

/// Reads numbers that are written in turns as runs of one number and packed bit by bit.
///
/// Source: Parquet's Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
struct HybridReader {
    private var position: Int
    private let end: Int
    private let width: Int
    private var runLeft = 0
    private var runValue = 0
    /// Packed numbers that are left, and the bit at which the next begins.
    private var packedLeft = 0
    private var bit = 0

    /// Starts at the beginning of some bytes.
    init(range: Range<Int>, width: Int) {
        (position, end, self.width) = (range.lowerBound, range.upperBound, width)
    }

    /// Reads single bits that are packed without anything around them.
    init(packedBitsIn range: Range<Int>) {
        (position, end, width) = (range.upperBound, range.upperBound, 1)
        (packedLeft, bit) = (range.count * 8, range.lowerBound * 8)
    }

    /// The bits that numbers up to one have.
    static func width(of greatest: Int) -> Int { Int.bitWidth - greatest.leadingZeroBitCount }

    /// The next number; nil at the end.
    mutating func next(in bytes: [UInt8]) -> Int? {
        while runLeft == 0, packedLeft == 0 {
            guard readHeader(bytes) else { return nil }
        }
        if runLeft > 0 {
            runLeft -= 1
            return runValue
        }
        packedLeft -= 1
        var (value, have) = (0, 0)
        while have < width {
            let (byte, offset) = (bit >> 3, bit & 7)
            guard byte < end else { return nil }
            let count = min(8 - offset, width - have)
            value |= ((Int(bytes[byte]) >> offset) & ((1 << count) - 1)) << have
            (have, bit) = (have + count, bit + count)
        }
        return value
    }

    private mutating func readHeader(_ bytes: [UInt8]) -> Bool {
        var (header, shift) = (0, 0)
        while true {
            guard position < end, shift < 35 else { return false }
            let byte = Int(bytes[position])
            position += 1
            header |= (byte & 127) << shift
            if byte < 128 { break }
            shift += 7
        }
        if header & 1 == 1 {
            let groups = header >> 1
            (packedLeft, bit) = (groups * 8, position * 8)
            position = min(end, position + groups * width)
            return true
        }
        let count = (width + 7) / 8
        guard count <= end - position else { return false }
        runValue = bytes[position..<position + count].reversed().reduce(0) { $0 << 8 | Int($1) }
        (runLeft, position) = (header >> 1, position + count)
        return true
    }
}
