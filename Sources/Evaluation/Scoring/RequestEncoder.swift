import Python
import Tokenization

/// Turns a context and a continuation into token ids, as lm-evaluation-harness does.
///
/// White space at the end of the context moves to the continuation. Both are tokenised together; the
/// context's own length says where the continuation begins. An empty context becomes the prefix token.
/// Where the tokenizer puts a bos before texts, it does here too, unless the text itself begins with
/// the prefix token.
///
/// Source: lm-evaluation-harness 0.4.13, `TemplateLM._encode_pair`, `loglikelihood` and
/// `HFLM.tok_encode`. Where that stops with an assertion (a context of nothing but white space), a
/// blank context counts as an empty one. An eos that a tokenizer puts after texts is left out: there it
/// would take the place of a continuation's first token.
public struct RequestEncoder {
    /// What stands for an empty context.
    public let prefixToken: Int32
    private let encoder: any TokenEncoder
    /// Put before texts.
    private let startToken: Int32?
    private let prefixText: [UInt8]
    /// The context that was encoded last: choices share theirs.
    private var last: (text: [UInt8], ids: [Int32]) = ([], [])

    /// Prepares for one thread's requests.
    ///
    /// - Parameters:
    ///   - tokenizer: Encodes without adding special tokens.
    ///   - prefixToken: Stands for an empty context.
    ///   - startToken: What the model wants before a text; nil for nothing.
    public init(tokenizer: any Tokenizer, prefixToken: Int32, startToken: Int32? = nil) {
        encoder = tokenizer.makeEncoder()
        (self.prefixToken, self.startToken) = (prefixToken, startToken)
        prefixText = Array(tokenizer.decode([prefixToken], skippingSpecialTokens: false).utf8)
    }

    /// Prepares for one thread's requests, with what a tokenizer's files say.
    ///
    /// - Parameters:
    ///   - loaded: The tokenizer.
    ///   - prefixToken: Stands for an empty context; by default the bos, else the eos, else `end`.
    ///   - end: The model's first end token; nil for 0.
    public init(_ loaded: LoadedTokenizer, prefixToken: Int32? = nil, end: Int32?) {
        self.init(
            tokenizer: loaded.tokenizer,
            prefixToken: prefixToken ?? loaded.bosID ?? loaded.eosID ?? end ?? 0,
            startToken: loaded.startID)
    }

    /// Encodes one request.
    ///
    /// - Parameters:
    ///   - context: What comes before.
    ///   - continuation: What is scored.
    /// - Returns: The ids; the continuation has none if its text has none.
    public mutating func encode(context: String, continuation: String) -> ScoringRequest {
        var kept = context.unicodeScalars[...]
        while kept.last?.isPythonSpace == true { kept.removeLast() }
        let bytes = Array(context.utf8)
        let whole = bytes + continuation.utf8
        guard !kept.isEmpty else {
            return request(context: [], continuation: encoder.encode(whole))
        }
        let text = Array(
            bytes.prefix(context.utf8.distance(from: context.startIndex, to: kept.endIndex)))
        if text != last.text { last = (text, encode(text)) }
        return request(
            context: last.ids, continuation: Array(encode(whole).dropFirst(last.ids.count)))
    }

    /// Encodes a whole text.
    public func encode(_ text: String) -> [Int32] { encode(Array(text.utf8)) }

    private func encode(_ text: [UInt8]) -> [Int32] {
        var ids: [Int32] = []
        if let startToken, !text.starts(with: prefixText) { ids.append(startToken) }
        encoder.encode(text, into: &ids)
        return ids
    }

    /// Gives an empty context the prefix token, unless the continuation begins with it.
    public func request(context: [Int32], continuation: [Int32]) -> ScoringRequest {
        guard context.isEmpty else {
            return ScoringRequest(context: context, continuation: continuation)
        }
        if continuation.first == prefixToken && continuation.count > 1 {
            return ScoringRequest(
                context: [prefixToken], continuation: Array(continuation.dropFirst()))
        }
        return ScoringRequest(context: [prefixToken], continuation: continuation)
    }
}
