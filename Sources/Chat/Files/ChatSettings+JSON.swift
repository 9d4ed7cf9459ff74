import Storage

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
                expected: HistoryMode.allCases.map(\.rawValue).joined(separator: " or "))
        }
        (self.seed, self.history) = (seed, history)
        maxTokens = try fields.integer("max_tokens")
        stopStrings = try fields.strings("stop")
        endTokens = Set(try fields.ids("end_tokens"))
        keepsLogProbabilities = try fields.bool("log_probabilities")
    }
}
