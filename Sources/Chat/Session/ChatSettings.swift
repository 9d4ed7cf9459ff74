import MambaLM
import Storage

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

/// What becomes of the earlier turns of a conversation when the next one comes.
public enum HistoryMode: String, CaseIterable, Sendable {
    /// The whole conversation is one prompt, read anew each turn: exact, as in training.
    ///
    /// On a chain what was read before is not read again, since that changes nothing.
    case recompute
    /// The new turn goes on from the state that the earlier ones left: each turn costs the same,
    /// however long the conversation.
    ///
    /// With the tree, each turn's new text is a prompt with a tree of its own; see
    /// `docs/guide-chat.md`.
    case carry
    /// Nothing: each question is a prompt of its own, as records of one turn are.
    case separate = "none"
}

extension ChatSettings {
    /// The settings by their names in files, which are those of the flags.
    ///
    /// Without ``promptLimit``, which is a matter of the machine's memory and not of a conversation.
    var json: JSONObject {
        [
            "temp": .number(sampling.temperature), "top_p": .number(sampling.topP),
            "top_k": .integer(sampling.topK), "min_p": .number(sampling.minP),
            "repeat_penalty": .number(sampling.repetitionPenalty),
            "repeat_last_n": .integer(sampling.repetitionWindow),
            // A text, as it may be more than a number in JSON can hold.
            "seed": .string("\(seed)"), "max_tokens": .integer(maxTokens),
            "history": .string(history.rawValue),
            "stop": .array(stopStrings.map { .string($0) }),
            "end_tokens": .ids(endTokens.sorted()),
            "log_probabilities": .bool(keepsLogProbabilities),
        ]
    }

    /// Reads settings from a file's fields, all of which must be there; ``promptLimit`` is the default.
    init(_ fields: JSONFields) throws {
        self.init()
        sampling.temperature = try fields.number("temp")
        sampling.topP = try fields.number("top_p")
        sampling.topK = try fields.integer("top_k")
        sampling.minP = try fields.number("min_p")
        sampling.repetitionPenalty = try fields.number("repeat_penalty")
        sampling.repetitionWindow = try fields.integer("repeat_last_n")
        let (seedText, historyText) = (try fields.string("seed"), try fields.string("history"))
        guard let seed = UInt64(seedText) else {
            throw ChatError.setting(name: "seed", found: seedText, expected: "a whole number")
        }
        guard let history = HistoryMode(rawValue: historyText) else {
            throw ChatError.setting(
                name: "history", found: historyText,
                expected: HistoryMode.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self.seed = seed
        self.history = history
        maxTokens = try fields.integer("max_tokens")
        stopStrings = try fields.strings("stop")
        endTokens = Set(try fields.ids("end_tokens"))
        keepsLogProbabilities = try fields.bool("log_probabilities")
    }
}
