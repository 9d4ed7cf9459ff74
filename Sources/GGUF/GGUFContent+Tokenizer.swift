import MambaLM
import Storage
import Tokenization

extension GGUFContent {
    /// Adds a tokenizer, with as many tokens as the embedding has rows.
    ///
    /// - Throws: ``GGUFError/tokenizer(found:expected:)`` where llama.cpp would give other ids.
    mutating func append(_ loaded: LoadedTokenizer?, of x: MambaConfiguration) throws {
        guard let loaded else {
            pairs.append(("tokenizer.ggml.model", .text("none")))
            pairs.append(("mamba.vocab_size", .uint32(UInt32(x.vocabulary))))
            return
        }
        let vocabulary = try loaded.tokenizer.writtenVocabulary(for: x.vocabulary)
        let (tokens, kind) = (vocabulary.tokens, vocabulary.kind)
        pairs.append(("tokenizer.ggml.model", .text(kind.isBytePair ? "gpt2" : "llama")))
        // Of the patterns that llama.cpp knows by name: the one of GPT-2, as GPT-NeoX has it.
        pairs.append(("tokenizer.ggml.pre", .text(kind.isBytePair ? "olmo" : "default")))
        pairs.append(("tokenizer.ggml.tokens", .texts(tokens.map(\.text))))
        switch kind {
        case .bytePair(let merges, let composes):
            pairs.append(
                ("tokenizer.ggml.token_type", .integers(tokens.map { Int32($0.kind.rawValue) })))
            pairs.append(("tokenizer.ggml.merges", .texts(merges)))
            if composes {
                notes.append(
                    "the tokenizer composes characters (NFC) and llama.cpp does not: give it composed "
                        + "text, as nearly all is")
            }
        case .sentencePiece(let scores, let addsPrefix):
            pairs.append(("tokenizer.ggml.scores", .floats(scores)))
            pairs.append(
                ("tokenizer.ggml.token_type", .integers(tokens.map { Int32($0.kind.rawValue) })))
            pairs.append(("tokenizer.ggml.add_space_prefix", .bool(addsPrefix)))
        }
        let ids: [(String, Int32?)] = [
            ("bos", loaded.startID ?? loaded.bosID), ("eos", loaded.eosID ?? x.endTokens.first),
            ("unknown", loaded.unknownID), ("padding", loaded.padID),
        ]
        for (name, id) in ids {
            guard let id, id >= 0 else { continue }
            pairs.append(("tokenizer.ggml.\(name)_token_id", .uint32(UInt32(id))))
        }
        pairs.append(("tokenizer.ggml.add_bos_token", .bool(loaded.startID != nil)))
        pairs.append(
            ("tokenizer.ggml.add_eos_token", .bool(loaded.configuration.addsEOSToken)))
        if let template = loaded.configuration.chatTemplate {
            pairs.append(("tokenizer.chat_template", .text(template)))
        }
    }
}

extension WrittenVocabulary.Kind {
    fileprivate var isBytePair: Bool {
        if case .bytePair = self { true } else { false }
    }
}

extension Tokenizer {
    /// The vocabulary, filled up to a number of tokens.
    fileprivate func writtenVocabulary(for count: Int) throws -> WrittenVocabulary {
        guard vocabularySize <= count else {
            throw GGUFError.tokenizer(
                found: "one of \(vocabularySize) ids", expected: "at most \(count), the model's")
        }
        let known = "byte-level BPE with the pattern of GPT-2, or BPE of SentencePiece"
        guard let written = self as? any WritableTokenizer else {
            throw GGUFError.tokenizer(found: "of another kind", expected: known)
        }
        switch written.written {
        case .success(var vocabulary):
            for id in vocabulary.tokens.count..<max(count, vocabulary.tokens.count) {
                vocabulary.tokens.append(
                    .init(text: Array("[PAD\(id)]".utf8), kind: .unused))
            }
            if case .sentencePiece(let scores, let adds) = vocabulary.kind {
                let rest = [Float](repeating: 0, count: vocabulary.tokens.count - scores.count)
                vocabulary.kind = .sentencePiece(scores: scores + rest, addsPrefix: adds)
            }
            return vocabulary
        case .failure(let reason):
            throw GGUFError.tokenizer(found: reason.text, expected: known)
        }
    }
}
