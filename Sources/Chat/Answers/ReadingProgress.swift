/// What happens while answers are made.
public enum ReplyEvent: Equatable, Sendable {
    /// Before each layer while a prompt is read, not if all of it is known.
    case reading(ReadingProgress)
    /// Before each step that draws a token of every answer.
    case drawing
    /// The next piece of an answer as it is certain: whole characters only, never a part of a stop string.
    ///
    /// The answers have places from 0; of ``ChatSession/compare(_:onEvent:)`` the one without the adapter has 0.
    case text(String, answer: Int)
}

/// How far the reading of a prompt is.
public struct ReadingProgress: Equatable, Sendable {
    /// The tokens read so far, from 0; those under way count by the part of the model's layers that are
    /// behind them.
    public let readTokens: Int
    /// The tokens to read before the answer begins.
    public let totalTokens: Int
}
