import MambaLM
import Tensors

/// A model that can read on from where it stopped.
protocol ContinuationModel {
    /// What reading a text leaves behind.
    associatedtype State

    /// Whether a text can be continued, from one state, before all of it is known.
    var canContinue: Bool { get }
    /// Whether what a prompt's tokens become depends on tokens after them, up to the prompt's end.
    var hasTrees: Bool { get }

    /// Reads sequences together, none depending on another except the one it goes on from.
    ///
    /// - Parameters:
    ///   - sequences: What to read.
    ///   - scored: What to predict where; rows count the tokens of all sequences, and rise.
    /// - Returns: The states of the sequences that keep them; the scores of all predictions, in order.
    func read(
        _ sequences: [TokenSequence<State>], scoring scored: [ScoredToken]
    ) -> (states: [State?], scores: CrossEntropy.Result)
}

extension MambaModel: ContinuationModel {
    /// Whether the flow keeps one state per layer.
    var canContinue: Bool { flow.hasSingleState }
    /// Whether the flow is anything but a chain.
    var hasTrees: Bool { flow.dependsOnPrompt }

    /// Runs the sequences as one forest.
    func read(
        _ sequences: [TokenSequence<SequenceState>], scoring scored: [ScoredToken]
    ) -> (states: [SequenceState?], scores: CrossEntropy.Result) {
        read(TokenForest(sequences), scoring: scored)
    }
}
