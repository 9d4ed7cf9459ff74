import Layers
import Prompting

/// A record as the model sees it.
public struct TrainingRecord: Equatable, Sendable {
    /// The token ids: prompt, answer and, unless it was cut off, the end token.
    public let tokens: [Int32]
    /// How many of the first tokens are the prompt, which carries no loss and spans the tree.
    public let promptLength: Int
    /// Where the record stands.
    public let origin: RecordOrigin

    /// Describes a record.
    ///
    /// - Parameters:
    ///   - tokens: The token ids, at least one more than the larger of 1 and `promptLength`.
    ///   - promptLength: At least 0.
    ///   - origin: Where the record stands.
    public init(tokens: [Int32], promptLength: Int, origin: RecordOrigin) {
        precondition(
            promptLength >= 0 && tokens.count > max(promptLength, 1),
            "\(tokens.count) tokens with a prompt of \(promptLength) leave nothing to score")
        self.tokens = tokens
        self.promptLength = promptLength
        self.origin = origin
    }

    /// The places of the tokens that carry loss: all after the prompt, but never the first, which
    /// nothing predicts.
    public var scored: Range<Int> { max(promptLength, 1)..<tokens.count }

    /// The record as a model computes it.
    ///
    /// - Parameter weight: The weight of each scored token in the loss.
    /// - Returns: The record's text.
    func text(weight: Float = 1) -> ScoredText {
        ScoredText(tokens: tokens, promptLength: promptLength, scored: scored, weight: weight)
    }
}
