@testable import Tokenization

extension FuzzTarget {
    /// Readers of tokenizers; what they accept encodes a text and decodes it.
    static let tokenizers = [
        FuzzTarget(name: "tokenizer") { bytes in
            use(try BytePairTokenizer(parsing: bytes, file: "tokenizer.json"))
        },
        FuzzTarget(name: "sentencepiece") { bytes in
            use(try SentencePieceTokenizer(parsing: bytes, file: "tokenizer.model"))
        },
    ]

    private static func use(_ tokenizer: some Tokenizer) {
        let ids = tokenizer.encode("Hello  wörld <s>\n\u{1F600}")
        _ = tokenizer.decode(ids)
        _ = tokenizer.decode([0, 1, 2, Int32(max(0, tokenizer.vocabularySize - 1))])
    }
}
