/// Byte-level byte pair encoding, as `tokenizer.json` describes it.
///
/// A text is cut at added tokens, normalised, cut into pieces by the pattern of GPT-2, and each
/// piece is joined from its bytes. Ids equal those of the tokenizers library.
public struct BytePairTokenizer: Tokenizer {
    let model: BytePairModel
    let added: [AddedToken]
    /// Added tokens that are looked for in the text as it came.
    let rawMatcher: AddedTokenMatcher
    /// Added tokens that are looked for in the normalised text.
    let normalizedMatcher: AddedTokenMatcher
    /// Whether text is normalised to form C.
    let composes: Bool
    /// Whether a stretch of text that does not begin with a space gets one.
    let addsPrefixSpace: Bool
    /// Whether text is cut by the pattern of GPT-2.
    let splits: Bool
    /// What the file puts around a text where special tokens are wanted.
    let template: Template

    /// The tokens around a text.
    struct Template {
        /// The id before it; nil for none.
        var start: Int32?
        /// The id after it; nil for none.
        var end: Int32?
    }

    /// One more than the largest id.
    public let vocabularySize: Int
    /// The ids of special tokens, in ascending order.
    public let specialTokenIDs: [Int32]

    private let special: [Bool]
    /// What every id decodes to, one after another, and where each begins.
    private let decodedBytes: [UInt8]
    private let decodedStarts: [Int]
    private let addedByID: [Int32: [UInt8]]
    private let addedIDs: [[UInt8]: Int32]

    init(
        model: BytePairModel, added: [AddedToken], composes: Bool, addsPrefixSpace: Bool,
        splits: Bool, template: Template
    ) {
        self.model = model
        self.added = added
        self.composes = composes
        self.addsPrefixSpace = addsPrefixSpace
        self.splits = splits
        self.template = template
        rawMatcher = AddedTokenMatcher(
            added.filter { !$0.isNormalized }.map { ($0, $0.content) })
        normalizedMatcher = AddedTokenMatcher(
            added.filter(\.isNormalized).map { ($0, Self.pattern(of: $0, composes: composes)) })

        let size = max(model.vocabulary.upperBound, added.map { Int($0.id) + 1 }.max() ?? 0)
        vocabularySize = size
        specialTokenIDs = added.filter(\.isSpecial).map(\.id).sorted()
        var special = [Bool](repeating: false, count: size)
        for id in specialTokenIDs { special[Int(id)] = true }
        self.special = special
        addedByID = Dictionary(
            added.map { ($0.id, $0.content) }, uniquingKeysWith: { first, _ in first })
        addedIDs = Dictionary(
            added.map { ($0.content, $0.id) }, uniquingKeysWith: { first, _ in first })

        let patterns = Dictionary(
            added.map { ($0.id, Self.pattern(of: $0, composes: composes)) },
            uniquingKeysWith: { first, _ in first })
        var bytes: [UInt8] = []
        var starts: [Int] = [0]
        for id in 0..<Int32(size) {
            if let token = patterns[id] ?? model.vocabulary.token(id) {
                bytes += ByteAlphabet.decoded(token)
            }
            starts.append(bytes.count)
        }
        decodedBytes = bytes
        decodedStarts = starts
    }

    /// What is looked for in the text, and decoded, for an added token.
    static func pattern(of token: AddedToken, composes: Bool) -> [UInt8] {
        guard composes && token.isNormalized else { return token.content }
        return CanonicalComposition.shared.normalized(token.content, in: token.content.indices)
            ?? token.content
    }

    /// Whether an id is a special token.
    public func isSpecial(_ id: Int32) -> Bool {
        special.indices.contains(Int(id)) && special[Int(id)]
    }

    /// The token as the vocabulary writes it.
    public func token(for id: Int32) -> String? {
        (addedByID[id] ?? model.vocabulary.token(id)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The id of a token as the vocabulary writes it.
    public func id(of token: String) -> Int32? {
        let bytes = Array(token.utf8)
        return addedIDs[bytes] ?? model.vocabulary.id(bytes)
    }

    /// An encoder with a cache of its own.
    public func makeEncoder(recognisingSpecialTokens: Bool) -> any TokenEncoder {
        BytePairEncoder(self, recognisesSpecialTokens: recognisingSpecialTokens)
    }

    /// The text of ids.
    public func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
        var bytes: [UInt8] = []
        for id in ids where !(skippingSpecialTokens && isSpecial(id)) { bytes += decoded(id) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A decoder for ids that come one at a time.
    public func makeStreamingDecoder(skippingSpecialTokens: Bool) -> StreamingDecoder {
        StreamingDecoder(
            BytePairStream(tokenizer: self, skipsSpecialTokens: skippingSpecialTokens))
    }

    /// The bytes that an id decodes to; none for an id that the vocabulary lacks.
    func decoded(_ id: Int32) -> ArraySlice<UInt8> {
        guard id >= 0, Int(id) < vocabularySize else { return [] }
        return decodedBytes[decodedStarts[Int(id)]..<decodedStarts[Int(id) + 1]]
    }
}

/// Byte-level decoding id by id: holds back the beginning of a character.
private struct BytePairStream: StreamingDecoderState {
    let tokenizer: BytePairTokenizer
    let skipsSpecialTokens: Bool
    var pending: [UInt8] = []

    mutating func push(_ id: Int32) -> String {
        if skipsSpecialTokens && tokenizer.isSpecial(id) { return "" }
        pending += tokenizer.decoded(id)
        let complete = pending.count - UTF8Bytes.incompleteSuffix(of: pending)
        defer { pending.removeFirst(complete) }
        return String(decoding: pending[..<complete], as: UTF8.self)
    }

    mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }
}
