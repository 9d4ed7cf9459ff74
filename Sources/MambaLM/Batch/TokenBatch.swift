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
            self.tokens = tokens
            self.promptLength = promptLength
            self.state = state
        }
    }

    /// The sequences.
    public let sequences: [Sequence]
    /// All token ids, `[tokens]`.
    public let tokens: [Int32]
    /// Where each sequence lies in ``tokens``.
    public let rows: [Range<Int>]

    /// Lays sequences out one after the other.
    public init(_ sequences: [Sequence]) {
        precondition(sequences.allSatisfy { !$0.tokens.isEmpty }, "a sequence has no tokens")
        self.sequences = sequences
        self.tokens = sequences.flatMap(\.tokens)
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
        self.row = row
        self.target = target
        self.weight = weight
    }
}

/// Sequences of tokens that are computed together and may branch: one can go on from the end of
/// another, so that what texts begin with in common is there once.
///
/// A block computes the forest in parts, and a sequence that goes on from another is in a later
/// part than that one. The states in between live only as long as the block needs them, whereas
/// sequences that go on from a kept state need the states of all blocks at once.
public struct TokenForest {
    /// One sequence, as a Mamba model reads it.
    public typealias Sequence = TokenSequence<SequenceState>

    /// Sequences that a block computes at once.
    struct Part {
        let sequences: [Int]
        /// Where they lie, one after the other.
        let rows: Range<Int>
        /// Whether their states are needed, by later parts or by the caller.
        let keepsStates: Bool
    }

    /// About how many rows a part has at most; working memory is needed for these only.
    ///
    /// Enough for matrix products to run at full speed.
    static let partRows = 512

    /// The sequences.
    public let sequences: [Sequence]
    /// The parts, in the order in which they are computed.
    let parts: [Part]
    /// Where each sequence lies, in the order of parts.
    let rows: [Range<Int>]

    /// Divides sequences into parts.
    public init(_ sequences: [Sequence]) {
        var isNeeded = sequences.map(\.keepsState)
        var depth = [Int](repeating: 0, count: sequences.count)
        for (index, sequence) in sequences.enumerated() {
            precondition(!sequence.tokens.isEmpty, "a sequence has no tokens")
            guard case .sequence(let before) = sequence.origin else { continue }
            precondition(before < index, "sequence \(index) goes on from sequence \(before)")
            isNeeded[before] = true
            depth[index] = depth[before] + 1
        }
        // Nothing waits for the others: all that nobody goes on from is computed last, together.
        let steps = Dictionary(grouping: sequences.indices) { isNeeded[$0] ? depth[$0] : .max }
        var (parts, rows) = ([Part](), [Range<Int>](repeating: 0..<0, count: sequences.count))
        var end = 0
        for (step, members) in steps.sorted(by: { $0.key < $1.key }) {
            let start = end
            for index in members {
                rows[index] = end..<end + sequences[index].tokens.count
                end = rows[index].upperBound
            }
            // Of about equal size: small parts are slow.
            let count = (end - start + Self.partRows - 1) / Self.partRows
            let size = (end - start + count - 1) / count
            let groups = Dictionary(grouping: members) { (rows[$0].lowerBound - start) / size }
            parts += groups.sorted { $0.key < $1.key }.map { _, group in
                let (first, last) = (rows[group[0]], rows[group[group.count - 1]])
                return Part(
                    sequences: group, rows: first.lowerBound..<last.upperBound,
                    keepsStates: step != .max)
            }
        }
        self.sequences = sequences
        self.parts = parts
        self.rows = rows
    }

    /// All token ids, in the order of parts.
    var tokens: [Int32] {
        parts.flatMap { part in part.sequences.lazy.flatMap { sequences[$0].tokens } }
    }
}

/// Tokens that are read one after the other, and what comes before them.
///
/// - Note: `State` is what reading a text leaves behind.
public struct TokenSequence<State> {
    /// What comes before a sequence.
    public enum Origin {
        /// Nothing: a text begins.
        case start
        /// What was read before, in another forest.
        case state(State)
        /// The end of an earlier sequence of the same forest.
        case sequence(Int)
    }

    /// The token ids, at least one.
    public var tokens: [Int32]
    /// How many of the first tokens are the prompt, which trees span; 0 unless a text begins.
    public var promptLength: Int
    /// What comes before.
    public var origin: Origin
    /// Whether the state after the sequence is wanted.
    public var keepsState: Bool
    /// Whether the state after it takes the memory of the one before it, which nobody else may hold.
    var overwritesState = false

    /// Describes one sequence.
    public init(
        tokens: [Int32], promptLength: Int = 0, origin: Origin = .start, keepsState: Bool = false
    ) {
        self.tokens = tokens
        self.promptLength = promptLength
        self.origin = origin
        self.keepsState = keepsState
    }
}
