import Kernels

/// A prompt that a model has read: any number of texts can go on from it.
public struct PromptReading {
    /// All tokens so far, those before the state that the prompt went on from included.
    public let tokens: [Int32]
    /// What they leave behind; `nil` where the flow has no single state
    /// (``StateFlow/hasSingleState``).
    public let state: SequenceState?
    /// The logits of the next token, `[vocabulary]`.
    public let logits: Tensor
}

extension MambaModel {
    /// Reads a prompt.
    ///
    /// All of it is the prompt of trees, so it is read in one pass. On a chain it is read in pieces, which
    /// changes no result and bounds the memory of a long one.
    ///
    /// - Parameters:
    ///   - prompt: At least one token.
    ///   - state: Where it goes on from; `nil` at the start of a text. Then the flow must have a single
    ///     state.
    ///   - earlier: The tokens that the state has read.
    /// - Returns: The reading.
    public func readPrompt(
        _ prompt: [Int32], after state: SequenceState? = nil, of earlier: [Int32] = []
    ) -> PromptReading {
        precondition(!prompt.isEmpty, "a prompt has no tokens")
        var (state, rest) = (state, prompt[...])
        if !flow.dependsOnPrompt {
            while rest.count > Self.pieceLength {
                state = readOn(Array(rest.prefix(Self.pieceLength)), after: state)
                rest = rest.dropFirst(Self.pieceLength)
            }
        }
        let sequence = TokenBatch.Sequence(
            tokens: Array(rest), promptLength: rest.count, state: state)
        let (states, logits) = read(
            TokenBatch([sequence]), keepingStates: flow.hasSingleState)
        return PromptReading(
            tokens: earlier + prompt, state: states.first,
            logits: logits.reshaped([logits.columns]).copy())
    }

    /// Reads tokens that are no prompt, as a response is read.
    ///
    /// - Parameters:
    ///   - tokens: The tokens.
    ///   - state: Where they go on from; the flow must have a single state.
    /// - Returns: The state after them.
    public func readOn(_ tokens: [Int32], after state: SequenceState?) -> SequenceState? {
        var state = state
        var rest = tokens[...]
        while !rest.isEmpty {
            let piece = TokenForest.Sequence(
                tokens: Array(rest.prefix(Self.pieceLength)),
                origin: state.map { .state($0) } ?? .start, keepsState: true)
            state = read(TokenForest([piece]), scoring: []).states[0]
            rest = rest.dropFirst(Self.pieceLength)
        }
        return state
    }

    /// How many tokens of a long text are read at once where that does not matter.
    static let pieceLength = 2048
}
