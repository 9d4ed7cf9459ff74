import Glibc

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

/// A token as a person reads it.
public struct TokenPiece: Equatable, Sendable {
    /// The id.
    public let id: Int32
    /// Its text; bytes that are no whole character are U+FFFD.
    public let text: String
}

/// The tree that a layer built over a prompt.
public struct PromptTree: Equatable, Sendable {
    /// The layer, from 0.
    public let layer: Int
    /// The tokens of the prompt.
    public let pieces: [TokenPiece]
    /// The place of each token's parent; -1 for the root, the last token.
    public let parents: [Int]
}
