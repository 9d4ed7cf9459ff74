import Tensors

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
        readPrompt(prompt, after: state, of: earlier, onProgress: { _ in })
    }

    /// Reads a prompt, tells how far it is, and can be stopped.
    ///
    /// - Parameters:
    ///   - prompt: At least one token.
    ///   - state: Where it goes on from; `nil` at the start of a text. Then the flow must have a single
    ///     state.
    ///   - earlier: The tokens that the state has read.
    ///   - onProgress: Called before each block with how many tokens have been read, from 0; those under
    ///     way count by the part of the blocks that are behind them. What it throws ends the reading, and
    ///     the model is as it was.
    /// - Returns: The reading.
    public func readPrompt(
        _ prompt: [Int32], after state: SequenceState? = nil, of earlier: [Int32] = [],
        onProgress: (Int) throws -> Void
    ) rethrows -> PromptReading {
        precondition(!prompt.isEmpty, "a prompt has no tokens")
        let last =
            flow.dependsOnPrompt ? 0 : (prompt.count - 1) / Self.pieceLength * Self.pieceLength
        let before = try readOn(Array(prompt[..<last]), after: state, onProgress: onProgress)
        let rest = Array(prompt[last...])
        let sequence = TokenBatch.Sequence(
            tokens: rest, promptLength: rest.count, state: before)
        let (states, logits) = try read(
            TokenBatch([sequence]), keepingStates: flow.hasSingleState
        ) {
            try onProgress(last + rest.count * $0 / blocks.count)
        }
        return PromptReading(
            tokens: earlier + prompt, state: states.first,
            logits: engine.copy(logits.reshaped([logits.columns])))
    }

    /// Reads tokens that are no prompt, as a response is read.
    ///
    /// - Parameters:
    ///   - tokens: The tokens.
    ///   - state: Where they go on from; the flow must have a single state.
    /// - Returns: The state after them.
    public func readOn(_ tokens: [Int32], after state: SequenceState?) -> SequenceState? {
        readOn(tokens, after: state, onProgress: { _ in })
    }

    /// Reads tokens that are no prompt, tells how far it is, and can be stopped.
    ///
    /// - Parameters:
    ///   - tokens: The tokens.
    ///   - state: Where they go on from; the flow must have a single state.
    ///   - onProgress: As for ``readPrompt(_:after:of:onProgress:)``.
    /// - Returns: The state after them.
    public func readOn(
        _ tokens: [Int32], after state: SequenceState?, onProgress: (Int) throws -> Void
    ) rethrows -> SequenceState? {
        var state = state
        for start in stride(from: 0, to: tokens.count, by: Self.pieceLength) {
            let piece = Array(tokens[start...].prefix(Self.pieceLength))
            let batch = TokenBatch([.init(tokens: piece, state: state)])
            state = try hiddenStates(
                of: BlockRun(batch, flow: flow, rows: [], keepsStates: true), in: pass()
            ) {
                try onProgress(start + piece.count * $0 / blocks.count)
            }.results.states[0]
        }
        return state
    }

    /// How many tokens of a long text are read at once where that does not matter.
    static let pieceLength = 2048
}

extension MambaModel {
    /// Scores every token of a text after the first, given those before it, without a prompt.
    ///
    /// A long text is read in pieces where the flow has a single state; that changes no result and bounds
    /// the memory.
    ///
    /// - Parameter text: The tokens.
    /// - Returns: One log-probability each, one less than there are tokens.
    public func score(text: [Int32]) -> [Double] {
        let length = flow.hasSingleState ? Self.pieceLength : text.count
        var scores: [Double] = []
        var state: SequenceState?
        var start = 0
        while start + 1 < text.count {
            let end = min(start + length, text.count)
            let scored = (start..<min(end, text.count - 1)).map {
                ScoredToken(row: $0 - start, target: text[$0 + 1])
            }
            let piece = TokenForest.Sequence(
                tokens: Array(text[start..<end]), origin: state.map { .state($0) } ?? .start,
                keepsState: flow.hasSingleState)
            let reading = read(TokenForest([piece]), scoring: scored)
            scores += reading.scores.logProbabilities
            state = reading.states[0]
            start = end
        }
        return scores
    }
}
