/// How far the reading of a prompt is.
public struct ReadingProgress: Equatable, Sendable {
    /// The tokens read so far, from 0; those under way count by the part of the model's layers that are
    /// behind them.
    public let readTokens: Int
    /// The tokens to read before the answer begins.
    public let totalTokens: Int
}
