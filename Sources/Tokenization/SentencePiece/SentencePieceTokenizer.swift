import CSentencePiece

/// A SentencePiece `.model`, encoded and decoded by the SentencePiece library.
///
/// Control pieces such as `<s>` are never recognised in text, and decode to nothing; pieces that
/// the model's maker defined are always recognised. That is how the library has it.
public struct SentencePieceTokenizer: Tokenizer {
    let model: SentencePieceModel
    /// A piece that decodes to text whatever stands before it; nil if the model has none.
    let anchor: (id: Int32, text: String)?
    /// Segments in the library's place; nil if the model is not a unigram one.
    private let segmenter: UnigramSegmenter?
    private let special: [Bool]
    private let bytes: [UInt8?]
    /// The pieces by id, with their scores.
    let pieces: [SentencePieceFile.Piece]
    /// Whether text is segmented by the probabilities of pieces, not joined from characters.
    let isUnigram: Bool
    /// Whether a space is put before a text.
    let addsPrefix: Bool

    /// The ids of control pieces and of the unknown piece, in ascending order.
    public let specialTokenIDs: [Int32]

    /// Reads a model.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - file: The name that errors give.
    /// - Throws: ``TokenizerError/sentencePiece(file:reason:)``.
    public init(parsing bytes: [UInt8], file: String) throws {
        guard let contents = try? SentencePieceFile(bytes) else {
            throw TokenizerError.sentencePiece(file: file, reason: "it is damaged")
        }
        let model = try SentencePieceModel(bytes, file: file)
        guard model.count > 0, model.count == contents.pieces.count else {
            throw TokenizerError.sentencePiece(
                file: file, reason: "\(contents.pieces.count) pieces, of which \(model.count) load")
        }
        guard !contents.hasDenormalizer else {
            throw TokenizerError.unsupported(
                file: file, field: "denormalizer_spec.precompiled_charsmap", found: "not empty",
                supported: "none")
        }
        if let control = contents.controlPieceOfText {
            throw TokenizerError.sentencePiece(
                file: file,
                reason:
                    "control piece \(control.id) is '\(control.text)', which is in ordinary text; expected a "
                    + "name such as '<s>'")
        }
        segmenter =
            contents.isUnigram
            ? model.unknownID.map { UnigramSegmenter(contents, unknownID: $0) } : nil
        self.model = model
        (pieces, isUnigram, addsPrefix) =
            (contents.pieces, contents.isUnigram, contents.addsPrefix)
        var anchor: (id: Int32, text: String)?
        var special: [Bool] = []
        var byteValues: [UInt8?] = []
        for id in 0..<model.count {
            let kind = model.kind(of: id)
            special.append(kind == mtl_spm_control || kind == mtl_spm_unknown)
            byteValues.append(kind == mtl_spm_byte ? Self.byte(model.piece(id)) : nil)
            if anchor == nil, kind == mtl_spm_normal {
                let text = model.decode([id])
                if !text.isEmpty { anchor = (id, text) }
            }
        }
        self.anchor = anchor
        self.special = special
        self.bytes = byteValues
        specialTokenIDs = (0..<model.count).filter { special[Int($0)] }
    }

    /// One more than the largest id.
    public var vocabularySize: Int { Int(model.count) }

    /// The id of the beginning of a text; nil if the model has none.
    public var bosID: Int32? { model.bosID }
    /// The id of the end of a text; nil if the model has none.
    public var eosID: Int32? { model.eosID }
    /// The id of padding; nil if the model has none.
    public var padID: Int32? { model.padID }
    /// The id of what the model does not know; nil if the model has none.
    public var unknownID: Int32? { model.unknownID }

    /// Whether an id is a control piece or the unknown piece.
    public func isSpecial(_ id: Int32) -> Bool { contains(id) && special[Int(id)] }

    /// The piece as the model writes it.
    public func token(for id: Int32) -> String? {
        contains(id) ? String(decoding: model.piece(id), as: UTF8.self) : nil
    }

    /// The id of a piece as the model writes it.
    public func id(of token: String) -> Int32? { model.id(of: Array(token.utf8)) }

    /// An encoder; whether special tokens are recognised is the model's to say.
    public func makeEncoder(recognisingSpecialTokens: Bool) -> any TokenEncoder {
        SentencePieceEncoder(model, segmenter)
    }

    /// The text of ids.
    public func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
        model.decode(
            ids.filter { contains($0) && !(skippingSpecialTokens && special[Int($0)]) })
    }

    /// A decoder for ids that come one at a time.
    public func makeStreamingDecoder(skippingSpecialTokens: Bool) -> StreamingDecoder {
        StreamingDecoder(
            SentencePieceStream(tokenizer: self, skipsSpecialTokens: skippingSpecialTokens))
    }

    /// Whether the model has an id.
    func contains(_ id: Int32) -> Bool { id >= 0 && id < model.count }

    /// The byte of a byte piece; nil for other pieces.
    func byte(of id: Int32) -> UInt8? { bytes[Int(id)] }

    /// The value of a piece such as `<0x0A>`.
    static func byte(_ piece: [UInt8]) -> UInt8? {
        UInt8(String(decoding: piece.dropFirst(3).prefix(2), as: UTF8.self), radix: 16)
    }
}

private final class SentencePieceEncoder: TokenEncoder {
    private let model: SentencePieceModel
    private let segmenter: UnigramSegmenter?

    init(_ model: SentencePieceModel, _ segmenter: UnigramSegmenter?) {
        self.model = model
        self.segmenter = segmenter
    }

    func encode(_ utf8: [UInt8], into ids: inout [Int32]) {
        if let segmenter {
            segmenter.encode(model.normalized(utf8), into: &ids)
        } else {
            model.encode(utf8, into: &ids)
        }
    }
}

/// SentencePiece decoding id by id.
///
/// The library's text of a piece depends on what came before in two ways only: as long as there is
/// no text, white space at the front is dropped, and byte pieces in a row make characters. So ids
/// wait until there is text and until the bytes of a character are complete; after the first text,
/// they are decoded behind an anchor, a piece of known text that stands for all that went before.
struct SentencePieceStream: StreamingDecoderState {
    let tokenizer: SentencePieceTokenizer
    let skipsSpecialTokens: Bool
    private var hasText = false
    private var waiting: [Int32] = []
    /// How many ids at the end of `waiting` begin a character.
    private var incomplete = 0

    init(tokenizer: SentencePieceTokenizer, skipsSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        self.skipsSpecialTokens = skipsSpecialTokens
    }

    mutating func push(_ id: Int32) -> String {
        guard tokenizer.contains(id), !(skipsSpecialTokens && tokenizer.isSpecial(id)) else {
            return ""
        }
        waiting.append(id)
        let run = waiting.suffix(incomplete + 1).compactMap(tokenizer.byte(of:))
        incomplete =
            tokenizer.byte(of: id) == nil ? 0 : UTF8Bytes.incompleteSuffix(of: run)
        return take(waiting.count - incomplete)
    }

    mutating func finish() -> String {
        let rest = take(waiting.count)
        self = SentencePieceStream(tokenizer: tokenizer, skipsSpecialTokens: skipsSpecialTokens)
        return rest
    }

    /// Decodes some of the waiting ids; without text they stay.
    private mutating func take(_ count: Int) -> String {
        if count == 0 { return "" }
        let ids = waiting.prefix(count)
        let text: String
        if hasText, let anchor = tokenizer.anchor {
            let bytes = tokenizer.model.decode([anchor.id] + ids).utf8
            text = String(decoding: bytes.dropFirst(anchor.text.utf8.count), as: UTF8.self)
        } else {
            text = tokenizer.model.decode(Array(ids))
            if text.isEmpty {
                // A control piece adds nothing and need not be decoded again with the next one.
                if let last = ids.last, tokenizer.isSpecial(last) { waiting.removeLast() }
                return ""
            }
        }
        hasText = true
        waiting.removeFirst(count)
        return text
    }
}

/// The most probable segmentation of normalised text by a unigram model.
///
/// Source: Kudo, 2018, section 3.2; `Model::EncodeOptimized` of the SentencePiece library. The
/// library does this too, but up to 0.1.99 it compares sums in double with sums stored in single
/// precision, and so breaks ties by rounding. Here all sums are in single precision and the first
/// of equal ones stays, which gives the ids of release 0.2.3.
struct UnigramSegmenter {
    private var trie = ByteTrie()
    private var scores: [Float]
    private let unknownScore: Float
    private let unknownID: Int32
    /// The piece of every byte; empty without byte fallback.
    private var byteIDs: [Int32] = []

    /// How much worse an unknown character is than the least probable piece.
    private static let unknownPenalty: Float = 10

    /// Prepares the pieces of a model.
    ///
    /// - Parameters:
    ///   - file: The model.
    ///   - unknownID: The id of unknown text.
    init(_ file: SentencePieceFile, unknownID: Int32) {
        self.unknownID = unknownID
        let normal = file.pieces.filter { $0.kind == SentencePieceFile.Kind.normal.rawValue }
        unknownScore =
            normal.map(\.score).reduce(Float.greatestFiniteMagnitude, min) - Self.unknownPenalty
        let best = normal.map(\.score).reduce(Float.leastNormalMagnitude, max)
        scores = file.pieces.map(\.score)
        if file.fallsBackToBytes { byteIDs = [Int32](repeating: unknownID, count: 256) }
        for (index, piece) in file.pieces.enumerated() {
            let id = Int32(index)
            switch SentencePieceFile.Kind(rawValue: piece.kind) {
            case .normal:
                trie.insert(piece.text, value: id)
            case .userDefined:
                // Better than any way to cut it, so that it is always taken.
                scores[index] = Float(Double(Float(piece.text.count) * best) - 0.1)
                trie.insert(piece.text, value: id)
            case .byte:
                if let byte = SentencePieceTokenizer.byte(piece.text), !byteIDs.isEmpty {
                    byteIDs[Int(byte)] = id
                }
            default: break
            }
        }
    }

    /// Appends the ids of normalised text.
    func encode(_ text: [UInt8], into ids: inout [Int32]) {
        struct Path {
            var score: Float = 0
            var id: Int32 = -1
            var start = -1
        }
        let bytes = text.span
        var best = [Path](repeating: Path(), count: text.count + 1)
        var start = 0
        while start < text.count {
            let score = best[start].score
            let next = min(start + Self.length(of: bytes[start]), text.count)
            var hasCharacter = false
            func offer(_ id: Int32, _ added: Float, to end: Int) {
                let sum = added + score
                if best[end].start < 0 || sum > best[end].score {
                    best[end] = Path(score: sum, id: id, start: start)
                }
            }
            trie.forEachMatch(in: bytes, from: start, to: text.count) { id, end in
                offer(id, scores[Int(id)], to: end)
                if end == next { hasCharacter = true }
            }
            if !hasCharacter { offer(unknownID, unknownScore, to: next) }
            start = next
        }
        var path: [(id: Int32, range: Range<Int>)] = []
        var end = text.count
        while end > 0 {
            path.append((best[end].id, best[end].start..<end))
            end = best[end].start
        }
        append(path.reversed(), of: text, to: &ids)
    }

    private func append(
        _ path: some Sequence<(id: Int32, range: Range<Int>)>, of text: [UInt8],
        to ids: inout [Int32]
    ) {
        var followsUnknown = false
        for (id, range) in path {
            let isUnknown = id == unknownID
            if isUnknown && !byteIDs.isEmpty {
                for byte in text[range] { ids.append(byteIDs[Int(byte)]) }
            } else if !(isUnknown && followsUnknown) {
                ids.append(id)
            }
            followsUnknown = isUnknown
        }
    }

    private static func length(of byte: UInt8) -> Int {
        byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
    }
}
