import Glibc

/// How likely the model finds a text.
public struct TextScore: Equatable, Sendable {
    /// The tokens.
    public let pieces: [TokenPiece]
    /// The log-probability of each token given those before it; `nil` for the first, which has none
    /// before it.
    public let logProbabilities: [Double?]

    /// The sum of the log-probabilities.
    public var logLikelihood: Double { logProbabilities.reduce(0) { $0 + ($1 ?? 0) } }

    /// The exponential of the mean negative log-probability of a token; `nil` if none has any.
    public var perplexity: Double? {
        let count = logProbabilities.count { $0 != nil }
        return count > 0 ? exp(-logLikelihood / Double(count)) : nil
    }
}
