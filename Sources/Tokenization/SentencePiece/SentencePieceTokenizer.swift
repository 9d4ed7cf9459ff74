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
        segmenter =
            contents.isUnigram
            ? model.unknownID.map { UnigramSegmenter(contents, unknownID: $0) } : nil
        self.model = model
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
