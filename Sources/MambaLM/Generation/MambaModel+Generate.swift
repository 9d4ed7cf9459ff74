import Kernels

/// Why a generation ended.
public enum StopReason: String, Sendable {
    /// An end token was drawn.
    case end
    /// A text that ends answers came up.
    case stop
    /// The limit of tokens was reached.
    case length
    /// The caller asked for it.
    case stopped
}

extension MambaModel {
    /// Continues a prompt token by token.
    ///
    /// The prompt is read in one pass; after it, each token costs the same, whatever came before.
    /// Where a flow has no single state, everything is computed again for each token.
    ///
    /// - Parameters:
    ///   - prompt: At least one token; all of it is the prompt of trees.
    ///   - limit: The most tokens to draw.
    ///   - endTokens: End the text and are not reported.
    ///   - sampler: Draws the tokens.
    ///   - report: Called with each token; false ends the generation.
    /// - Returns: Why it ended.
    @discardableResult
    public func generate(
        after prompt: [Int32], limit: Int, endTokens: Set<Int32>, sampler: inout TokenSampler,
        report: (Int32) -> Bool
    ) -> StopReason {
        var text = prompt
        var reading = read(
            TokenBatch([.init(tokens: prompt, promptLength: prompt.count)]),
            keepingStates: flow.hasSingleState)
        for drawn in 1...max(limit, 1) {
            let token = sampler.next(reading.logits.values, after: text)
            if endTokens.contains(token) { return .end }
            guard report(token) else { return .stopped }
            if drawn >= limit { break }
            text.append(token)
            if let state = reading.states.first {
                reading = read(TokenBatch([.init(tokens: [token], state: state)]))
            } else {
                reading = read(
                    TokenBatch([.init(tokens: text, promptLength: prompt.count)]),
                    keepingStates: false)
            }
        }
        return .length
    }
}
