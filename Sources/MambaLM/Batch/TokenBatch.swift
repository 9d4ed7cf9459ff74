import Tensors

/// Sequences of tokens that are computed together, one after the other, without padding.
public struct TokenBatch {
    /// One sequence.
    public struct Sequence {
        /// The token ids, at least one.
        public var tokens: [Int32]
        /// How many of the first tokens are the prompt; trees span these.
        public var promptLength: Int
        /// The state that earlier tokens left; `nil` at the start of a text.
        public var state: SequenceState?
        /// Whether the state after the sequence takes the memory of ``state``, which nobody else may hold.
        var overwritesState = false

        /// Describes one sequence.
        public init(tokens: [Int32], promptLength: Int = 0, state: SequenceState? = nil) {
            (self.tokens, self.promptLength, self.state) = (tokens, promptLength, state)
        }
    }

    /// The sequences.
    public let sequences: [Sequence]
    /// All token ids, `[tokens]`.
    public let tokens: [Int32]
    /// The same as rows of the embedding.
    let indices: RowIndices
    /// Where each sequence lies in ``tokens``.
    public let rows: [Range<Int>]

    /// Lays sequences out one after the other.
    public init(_ sequences: [Sequence]) {
        precondition(sequences.allSatisfy { !$0.tokens.isEmpty }, "a sequence has no tokens")
        self.sequences = sequences
        self.tokens = sequences.flatMap(\.tokens)
        self.indices = RowIndices(tokens)
        var start = 0
        self.rows = sequences.map { sequence in
            defer { start += sequence.tokens.count }
            return start..<start + sequence.tokens.count
        }
    }
}

/// A token that the model is asked to predict.
public struct ScoredToken: Equatable, Sendable {
    /// The row of the batch that predicts it: the token before it.
    public var row: Int
    /// The id to predict.
    public var target: Int32
    /// The weight of its negative log-probability in the loss.
    public var weight: Float

    /// Describes one prediction.
    public init(row: Int, target: Int32, weight: Float = 1) {
        (self.row, self.target, self.weight) = (row, target, weight)
    }
}
