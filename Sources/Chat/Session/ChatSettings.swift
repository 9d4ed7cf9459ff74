import MambaLM

/// How answers are drawn and when they end.
public struct ChatSettings: Equatable, Sendable {
    /// How each token is drawn.
    public var sampling = TokenSampler.Settings()
    /// The same seed gives the same answers to the same questions.
    public var seed: UInt64 = 42
    /// The most tokens of an answer, at least 1.
    public var maxTokens = 256
    /// Texts that end an answer and are not part of it, none empty.
    public var stopStrings: [String] = []
    /// Tokens that end an answer, besides those of model and tokenizer.
    public var endTokens: Set<Int32> = []
    /// The most tokens of a prompt, at least 1: what is read in one pass is held in memory.
    public var promptLimit = 32_768
    /// What becomes of earlier turns.
    public var history = HistoryMode.recompute
    /// Whether replies tell the log-probability of each token.
    public var keepsLogProbabilities = false

    /// Creates the defaults.
    public init() {}

    /// Throws the first error of a value from outside.
    ///
    /// - Throws: ``ChatError/setting(name:found:expected:)``.
    public func validate() throws {
        func check(_ isFine: Bool, _ name: String, _ found: String, _ expected: String) throws {
            if !isFine { throw ChatError.setting(name: name, found: found, expected: expected) }
        }
        let x = sampling
        try check(
            x.temperature >= 0 && x.temperature.isFinite, "temperature", "\(x.temperature)",
            "at least 0")
        try check(x.topK >= 0, "top-k", "\(x.topK)", "at least 0")
        try check(x.topP > 0 && x.topP <= 1, "top-p", "\(x.topP)", "above 0 and at most 1")
        try check((0...1).contains(x.minP), "min-p", "\(x.minP)", "0 to 1")
        try check(
            x.repetitionPenalty > 0 && x.repetitionPenalty.isFinite, "repeat-penalty",
            "\(x.repetitionPenalty)", "above 0")
        try check(
            x.repetitionWindow >= 0, "repeat-last-n", "\(x.repetitionWindow)",
            "at least 0, or -1 for all")
        try check(promptLimit >= 1, "prompt-limit", "\(promptLimit)", "at least 1")
        try check(maxTokens >= 1, "max-tokens", "\(maxTokens)", "at least 1")
        try check(!stopStrings.contains(""), "stop", "empty", "at least one character")
    }
}
