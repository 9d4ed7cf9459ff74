/// What a session did so far.
public struct ChatStatistics: Equatable, Sendable {
    /// The answers.
    public var replies = 0
    /// The prompt tokens that were read.
    public var readTokens = 0
    /// The tokens that were drawn.
    public var drawnTokens = 0
    /// The time spent on reading.
    public var prefillDuration = Duration.zero
    /// The time spent on drawing.
    public var decodeDuration = Duration.zero
    /// The size of one state, in bytes; the same however long the conversation.
    public var stateBytes = 0
    /// The tokens of the current branch that its state has read.
    public var position = 0

    /// Nothing yet.
    public init() {}
}
