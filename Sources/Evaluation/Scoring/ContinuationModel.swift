import MambaLM

/// A model that can read on from where it stopped.
protocol ContinuationModel {
    /// What reading a text leaves behind.
    associatedtype State

    /// Whether a text can be continued, from one state, before all of it is known.
    var canContinue: Bool { get }
    /// Whether what a prompt's tokens become depends on tokens after them, up to the prompt's end.
    var hasTrees: Bool { get }

    /// Reads sequences together, none depending on another but on the one it goes on from.
    ///
    /// - Parameter sequences: What to read and what to predict on the way.
    /// - Returns: The states of the sequences that keep them; the scores of all predictions, in order.
    func read(
        _ sequences: [PartialSequence<State>]
    ) -> (states: [State?], scores: [TokenScore])
}

/// Tokens to read, and what to predict on the way.
struct PartialSequence<State> {
    /// What comes before the tokens.
    enum Origin {
        /// Nothing.
        case start
        /// What was read before.
        case state(State)
        /// An earlier one of the sequences that are read together.
        case sequence(Int)
    }

    /// The tokens, at least one.
    var tokens: [Int32]
    /// How many of the first tokens are the prompt of a tree.
    var promptLength = 0
    /// What comes before.
    var origin = Origin.start
    /// Whether the state after the tokens is wanted.
    var keepsState = false
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

    /// Runs the sequences as one forest.
    func read(
        _ sequences: [PartialSequence<SequenceState>]
    ) -> (states: [SequenceState?], scores: [TokenScore]) {
        var scored: [ScoredToken] = []
        var row = 0
        for sequence in sequences {
            scored += sequence.predictions.map {
                ScoredToken(row: row + $0.place, target: $0.token)
            }
            row += sequence.tokens.count
        }
        let forest = TokenForest(
            sequences.map {
                TokenForest.Sequence(
                    tokens: $0.tokens, promptLength: $0.promptLength,
                    origin: TokenForest.Origin($0.origin), keepsState: $0.keepsState)
            })
        let (states, scores) = read(forest, scoring: scored)
        return (
            states,
            zip(scores.logProbabilities, scores.isGreedy).map {
                TokenScore(logProbability: $0, isGreedy: $1)
            }
        )
    }
}

extension TokenForest.Origin {
    fileprivate init(_ origin: PartialSequence<SequenceState>.Origin) {
        self =
            switch origin {
            case .start: .start
            case .state(let state): .state(state)
            case .sequence(let index): .sequence(index)
            }
    }
}
