/// A tokenizer's vocabulary as other programs' files hold it.
public struct WrittenVocabulary: Equatable, Sendable {
    /// What a token is; the numbers are those of SentencePiece, which others took over.
    public enum TokenKind: Int, Sendable {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    /// A token.
    public struct Token: Equatable, Sendable {
        /// As the vocabulary writes it; added tokens as they stand in a text.
        public var text: [UInt8]
        /// What it is.
        public var kind: TokenKind

        /// Describes a token.
        public init(text: [UInt8], kind: TokenKind) { (self.text, self.kind) = (text, kind) }
    }

    /// How text becomes tokens.
    public enum Kind: Equatable, Sendable {
        /// By joins of two tokens, the earliest first, each written `left right`; of text that is in form C first, or not.
        case bytePair(merges: [[UInt8]], composes: Bool)
        /// By joins, those of the highest score first; behind a space that is put before a text, or not.
        case sentencePiece(scores: [Float], addsPrefix: Bool)
    }

    /// The tokens by id; ids that the vocabulary lacks are ``TokenKind/unused``.
    public var tokens: [Token]
    /// How text becomes tokens.
    public var kind: Kind

    /// Why there is none: what the tokenizer is.
    public struct Missing: Error, Equatable {
        /// What it is, in words.
        public let text: String
    }
}

/// A tokenizer that tells its vocabulary.
public protocol WritableTokenizer: Tokenizer {
    /// The vocabulary, or what keeps it from being written.
    var written: Result<WrittenVocabulary, WrittenVocabulary.Missing> { get }
}

extension BytePairTokenizer: WritableTokenizer {
    /// The tokens and the joins.
    public var written: Result<WrittenVocabulary, WrittenVocabulary.Missing> {
        if !splits { return .failure(.init(text: "one that does not split text")) }
        if addsPrefixSpace { return .failure(.init(text: "one that puts a space before text")) }
        if model.ignoresMerges {
            return .failure(.init(text: "one that looks words up before it joins"))
        }
        let isAdded = Set(added.map(\.id))
        let tokens = (0..<Int32(vocabularySize)).map { id -> WrittenVocabulary.Token in
            guard let text = token(for: id) else {
                return .init(text: Array("[PAD\(id)]".utf8), kind: .unused)
            }
            let kind: WrittenVocabulary.TokenKind =
                isSpecial(id) ? .control : isAdded.contains(id) ? .userDefined : .normal
            return .init(text: Array(text.utf8), kind: kind)
        }
        let merges = model.merges.byRank.map { left, right in
            tokens[Int(left)].text + [UInt8(ascii: " ")] + tokens[Int(right)].text
        }
        return .success(
            .init(tokens: tokens, kind: .bytePair(merges: merges, composes: composes)))
    }
}

extension SentencePieceTokenizer: WritableTokenizer {
    /// The pieces and their scores.
    public var written: Result<WrittenVocabulary, WrittenVocabulary.Missing> {
        if isUnigram { return .failure(.init(text: "a unigram model of SentencePiece")) }
        let tokens = pieces.map { piece in
            WrittenVocabulary.Token(
                text: piece.text,
                kind: WrittenVocabulary.TokenKind(rawValue: Int(clamping: piece.kind)) ?? .normal)
        }
        return .success(
            .init(
                tokens: tokens,
                kind: .sentencePiece(scores: pieces.map(\.score), addsPrefix: addsPrefix)))
    }
}
