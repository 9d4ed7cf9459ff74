import MambaLM

/// A model that can read on from where it stopped.
protocol ContinuationModel {
    /// What reading a text leaves behind.
    associatedtype State

    /// Whether a text can be continued from one state.
    var canContinue: Bool { get }
    /// Whether what a prompt's tokens become depends on tokens after them, up to the prompt's end.
    var hasTrees: Bool { get }
    /// About how many states may be held at once.
    var stateLimit: Int { get }

    /// Reads sequences together, none depending on another.
    ///
    /// - Parameters:
    ///   - sequences: What to read and what to predict on the way.
    ///   - keepingStates: Whether states are wanted.
    /// - Returns: One state a sequence, or none; the scores of all predictions, in order.
    func read(
        _ sequences: [PartialSequence<State>], keepingStates: Bool
    ) -> (states: [State], scores: [TokenScore])
}

/// Tokens to read, from the start of a text or from a state, and what to predict on the way.
struct PartialSequence<State> {
    /// The tokens, at least one.
    var tokens: ArraySlice<Int32>
    /// How many of the first tokens are the prompt of a tree.
    var promptLength = 0
    /// What came before.
    var state: State?
    /// The tokens to predict, each with the place of the token before it, in the order of places.
    var predictions: [(place: Int, token: Int32)] = []
}

/// How likely a token is after what stands before it.
struct TokenScore: Equatable {
    /// The natural logarithm of the probability.
    var logProbability: Double
    /// Whether no token is likelier.
    var isGreedy: Bool
}

extension MambaModel: ContinuationModel {
    typealias State = SequenceState

    /// Whether the flow keeps one state a layer.
    var canContinue: Bool { flow.hasSingleState }
    /// Whether the flow is anything but a chain.
    var hasTrees: Bool { flow.dependsOnPrompt }

    /// As many as take about 64 MB.
    var stateLimit: Int {
        let floats = configuration.inner * (configuration.state + configuration.convolutionWidth)
        return max(8, (64 << 20) / (4 * floats * configuration.layers))
    }

    /// Runs the sequences as one batch.
    func read(
        _ sequences: [PartialSequence<SequenceState>], keepingStates: Bool
    ) -> (states: [SequenceState], scores: [TokenScore]) {
        let batch = TokenBatch(
            sequences.map {
                TokenBatch.Sequence(
                    tokens: Array($0.tokens), promptLength: $0.promptLength, state: $0.state)
            })
        let scored = zip(batch.rows, sequences).flatMap { rows, sequence in
            sequence.predictions.map {
                ScoredToken(row: rows.lowerBound + $0.place, target: $0.token)
            }
        }
        let (states, scores) = read(batch, scoring: scored, keepingStates: keepingStates)
        return (
            states,
            zip(scores.logProbabilities, scores.isGreedy).map {
                TokenScore(logProbability: $0, isGreedy: $1)
            }
        )
    }
}
