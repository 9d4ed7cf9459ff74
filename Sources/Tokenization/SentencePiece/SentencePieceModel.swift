import CSentencePiece

/// Owns a model of the SentencePiece library, and is the only place that calls its shim.
///
/// Unchecked: the handle is set once, the library's encoding and decoding are `const` and keep
/// their scratch memory on the stack, and the handle is freed when no one refers to it any more.
final class SentencePieceModel: @unchecked Sendable {
    private let handle: OpaquePointer
    /// How many pieces there are.
    let count: Int32

    /// Loads a model.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - file: The name that errors give.
    /// - Throws: ``TokenizerError/sentencePiece(file:reason:)``.
    init(_ bytes: [UInt8], file: String) throws {
        var message = [CChar](repeating: 0, count: 512)
        guard let handle = mtl_spm_open(bytes, bytes.count, &message, message.count) else {
            let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw TokenizerError.sentencePiece(
                file: file, reason: String(decoding: text, as: UTF8.self))
        }
        self.handle = handle
        count = mtl_spm_vocabulary_size(handle)
    }

    deinit { mtl_spm_close(handle) }

    // The ids of the model's own special pieces; nil where it has none.
    var bosID: Int32? { Self.optional(mtl_spm_bos(handle)) }
    var eosID: Int32? { Self.optional(mtl_spm_eos(handle)) }
    var padID: Int32? { Self.optional(mtl_spm_pad(handle)) }
    var unknownID: Int32? { Self.optional(mtl_spm_unk(handle)) }

    /// What a piece stands for.
    func kind(of id: Int32) -> mtl_spm_kind {
        precondition(id >= 0 && id < count, "id is \(id), the model has \(count)")
        return mtl_spm_kind_of(handle, id)
    }

    /// The bytes of a piece.
    func piece(_ id: Int32) -> [UInt8] {
        precondition(id >= 0 && id < count, "id is \(id), the model has \(count)")
        var length = 0
        let start = mtl_spm_piece(handle, id, &length)
        let buffer = UnsafeBufferPointer(start: start, count: length)
        return buffer.map { UInt8(bitPattern: $0) }
    }

    /// The id of a piece, or nil.
    func id(of piece: [UInt8]) -> Int32? {
        let id = piece.withUnsafeBytes {
            mtl_spm_id(handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return id >= 0 && id < count && self.piece(id) == piece ? id : nil
    }

    /// Appends the ids of a text.
    func encode(_ text: [UInt8], into ids: inout [Int32]) {
        if text.isEmpty { return }
        var memory: UnsafeMutablePointer<Int32>?
        var count = 0
        let status = text.withUnsafeBytes {
            mtl_spm_encode(
                handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, &memory,
                &count)
        }
        defer { mtl_spm_free(memory) }
        precondition(status == 0, "SentencePiece could not encode \(text.count) bytes")
        ids += UnsafeBufferPointer(start: memory, count: count)
    }

    /// A text as the model has it before it segments.
    func normalized(_ text: [UInt8]) -> [UInt8] {
        if text.isEmpty { return [] }
        var memory: UnsafeMutablePointer<CChar>?
        var count = 0
        let status = text.withUnsafeBytes {
            mtl_spm_normalize(
                handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, &memory,
                &count)
        }
        defer { mtl_spm_free(memory) }
        precondition(status == 0, "SentencePiece could not normalise \(text.count) bytes")
        return Array(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// The text of ids, all of them below ``count``.
    func decode(_ ids: [Int32]) -> String {
        if ids.isEmpty { return "" }
        var memory: UnsafeMutablePointer<CChar>?
        var count = 0
        let status = mtl_spm_decode(handle, ids, ids.count, &memory, &count)
        defer { mtl_spm_free(memory) }
        precondition(status == 0, "SentencePiece could not decode \(ids.count) ids")
        let bytes = UnsafeRawBufferPointer(start: memory, count: count)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func optional(_ id: Int32) -> Int32? { id < 0 ? nil : id }
}

/// The parts of a `.model` file that the SentencePiece library does not tell.
///
/// Source: `sentencepiece_model.proto` of the SentencePiece repository.
struct SentencePieceFile {
    /// What a piece stands for.
    enum Kind: UInt64 {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    /// A piece of the vocabulary.
    struct Piece {
        var text: [UInt8] = []
        var score: Float = 0
        var kind: UInt64 = Kind.normal.rawValue
    }

    /// The pieces, by id.
    private(set) var pieces: [Piece] = []
    /// Whether the segmentation is the most probable one of a unigram model.
    private(set) var isUnigram = true
    /// Whether characters without a piece become pieces for their bytes.
    private(set) var fallsBackToBytes = false
    /// Whether a space is put before a text.
    private(set) var addsPrefix = true
    /// Whether decoded text is rewritten by a table.
    private(set) var hasDenormalizer = false

    /// Reads a file.
    ///
    /// - Throws: ``ProtobufReader/Malformed``.
    init(_ bytes: [UInt8]) throws {
        var reader = ProtobufReader(bytes, in: bytes.indices)
        while let (number, content) = try reader.next() {
            guard case .bytes(let range) = content else { continue }
            var part = ProtobufReader(bytes, in: range)
            switch number {
            case 1: pieces.append(try Self.piece(&part, bytes))
            case 2: try readTrainer(&part)
            case 3:
                while let (number, content) = try part.next() {
                    if number == 3, case .varint(let flag) = content { addsPrefix = flag != 0 }
                    guard number == 2, case .bytes(let map) = content else { continue }
                    guard CharacterMap.isSound(bytes, in: map) else {
                        throw ProtobufReader.Malformed()
                    }
                }
            case 5:
                while let (number, content) = try part.next() {
                    guard number == 2, case .bytes(let map) = content else { continue }
                    hasDenormalizer = !map.isEmpty
                }
            default: break
            }
        }
    }

    /// A control piece that segmenting a text can come upon, which the library does not survive: one that is a single
    /// character, or another piece too.
    var controlPieceOfText: (id: Int, text: String)? {
        let isControl = pieces.map { $0.kind == Kind.control.rawValue }
        let others = Set(zip(pieces, isControl).filter { !$0.1 }.map(\.0.text))
        for (id, piece) in pieces.enumerated() where isControl[id] {
            let text = String(decoding: piece.text, as: UTF8.self)
            if text.unicodeScalars.count == 1 || others.contains(piece.text) { return (id, text) }
        }
        return nil
    }

    private static func piece(_ reader: inout ProtobufReader, _ bytes: [UInt8]) throws -> Piece {
        var piece = Piece()
        while let (number, content) = try reader.next() {
            switch (number, content) {
            case (1, .bytes(let range)): piece.text = Array(bytes[range])
            case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
            case (3, .varint(let kind)): piece.kind = kind
            default: break
            }
        }
        return piece
    }

    private mutating func readTrainer(_ reader: inout ProtobufReader) throws {
        while let (number, content) = try reader.next() {
            switch (number, content) {
            case (3, .varint(let model)): isUnigram = model == 1
            case (35, .varint(let flag)): fallsBackToBytes = flag != 0
            default: break
            }
        }
    }
}

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

/// The normaliser's table in a SentencePiece model, checked before the library walks it.
///
/// The library follows the table without looking where it leads, so a damaged one makes it read
/// outside of it. Layout: the trie's size in bytes, a Darts-clone double array of 32-bit units, then
/// the replacements, each ended by a zero byte.
enum CharacterMap {
    /// Whether every step from every unit stays inside the table.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - range: Where the table lies; empty for none.
    /// - Returns: Whether the library may walk it.
    static func isSound(_ bytes: [UInt8], in range: Range<Int>) -> Bool {
        if range.isEmpty { return true }
        let table = bytes[range]
        guard table.count >= 4, table.last == 0 else { return false }
        func word(at offset: Int) -> UInt32 {
            let start = range.lowerBound + offset
            return bytes[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        let trieBytes = Int(word(at: 0))
        guard trieBytes >= 4, trieBytes % 4 == 0, trieBytes < table.count - 4 else { return false }
        let count = trieBytes / 4
        let replacements = table.count - 4 - trieBytes
        return (0..<count).allSatisfy { index in
            let unit = word(at: 4 + index * 4)
            // The top bit marks a value; other units give the exclusive-or distance to their
            // children, of which there is one for each byte.
            if unit >> 31 == 1 { return Int(unit & 0x7FFF_FFFF) < replacements }
            let distance = Int((unit >> 10) << ((unit & (1 << 9)) >> 6))
            return (index ^ distance) | 0xFF < count
        }
    }
}
