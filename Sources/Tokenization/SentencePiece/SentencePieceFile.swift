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
