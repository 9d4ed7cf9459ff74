import Tokenization

/// Turns a context and a continuation into token ids, as lm-evaluation-harness does.
///
/// White space at the end of the context moves to the continuation. Both are tokenised together; the
/// context's own length says where the continuation begins. An empty context becomes the prefix token.
///
/// Source: lm-evaluation-harness 0.4.13, `TemplateLM._encode_pair` and `loglikelihood`. Where that stops
/// with an assertion (a context of nothing but white space), a blank context counts as an empty one.
public struct RequestEncoder {
    private let encoder: any TokenEncoder
    private let prefixToken: Int32

    /// Prepares for one thread's requests.
    ///
    /// - Parameters:
    ///   - tokenizer: Encodes without adding special tokens.
    ///   - prefixToken: Stands for an empty context.
    public init(tokenizer: any Tokenizer, prefixToken: Int32) {
        encoder = tokenizer.makeEncoder()
        self.prefixToken = prefixToken
    }

    /// Encodes one request.
    ///
    /// - Parameters:
    ///   - context: What comes before.
    ///   - continuation: What is scored.
    /// - Returns: The ids; the continuation has none if its text has none.
    public func encode(context: String, continuation: String) -> ScoringRequest {
        let kept = context.unicodeScalars.reversed().drop(while: \.isPythonSpace).count
        let split = context.unicodeScalars.index(context.unicodeScalars.startIndex, offsetBy: kept)
        let (context, moved) = (context[..<split], context[split...])
        guard !context.isEmpty else {
            return request(context: [], continuation: encoder.encode(moved + continuation))
        }
        let whole = encoder.encode(context + moved + continuation)
        let before = encoder.encode(String(context))
        return request(
            context: before, continuation: Array(whole.dropFirst(before.count)))
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
