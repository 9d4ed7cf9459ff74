/// A continuation to be scored after a context, in token ids.
public struct ScoringRequest: Equatable, Sendable {
    /// What comes before, at least one token.
    public var context: [Int32]
    /// What is scored, at least one token.
    public var continuation: [Int32]

    /// Groups the ids.
    public init(context: [Int32], continuation: [Int32]) {
        (self.context, self.continuation) = (context, continuation)
    }
}

/// The score of a continuation.
public struct ContinuationScore: Equatable, Sendable {
    /// The natural logarithm of each token's probability, given all before it.
    public var logProbabilities: [Double]
    /// Whether every token was the most likely one.
    public var isGreedy: Bool

    /// The natural logarithm of the continuation's probability.
    public var logLikelihood: Double { logProbabilities.reduce(0, +) }
}
