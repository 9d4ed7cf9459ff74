import MambaLM

/// An answer and how it came about.
public struct Reply: Equatable, Sendable {
    /// The text, without a stop string.
    public var text = ""
    /// The ids drawn, without an end token; those of a stop string included.
    public var tokens: [Int32] = []
    /// For each of ``tokens`` its log-probability, before penalties, temperature and filters; `nil` unless
    /// the settings ask for it.
    public var logProbabilities: [Double]?
    /// Why the answer ended.
    public var stopReason = StopReason.length
    /// The stop string that ended it.
    public var stopString: String?
    /// The tokens of the prompt: in ``HistoryMode/recompute`` the whole conversation, else what this turn
    /// added.
    public var promptTokens = 0
    /// How many of them were read for this answer; the others were known from before.
    public var readTokens = 0
    /// The time from the question to the first token.
    public var prefillDuration = Duration.zero
    /// The time from the first token to the end.
    public var decodeDuration = Duration.zero

    /// An empty answer.
    public init() {}

    /// How fast the prompt was read.
    public var prefillTokensPerSecond: Double { rate(readTokens, prefillDuration) }

    /// How fast tokens after the first were drawn.
    public var decodeTokensPerSecond: Double { rate(tokens.count - 1, decodeDuration) }

    private func rate(_ tokens: Int, _ duration: Duration) -> Double {
        let seconds = duration / .seconds(1)
        return seconds > 0 ? Double(max(tokens, 0)) / seconds : 0
    }
}
