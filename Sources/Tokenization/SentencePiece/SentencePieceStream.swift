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
