import MambaLM
import Storage

/// How a task's texts are written: `generation_kwargs`.
///
/// Source: lm-evaluation-harness 0.4.13, `TaskConfig.__post_init__` and `normalize_gen_kwargs`, and what
/// `HFLM` and the transformers library's `generate` make of the rest.
struct GenerationArguments: Sendable {
    /// The arguments as the task and the user gave them, for samples and report.
    let object: JSONObject
    /// Texts that end an answer, and are cut off with all that follows.
    let stops: [String]
    /// The most tokens of an answer.
    let limit: Int
    /// The most tokens of prompt and answer together, if that is limited.
    let wholeLength: Int?
    /// How tokens are drawn.
    let sampling: TokenSampler.Settings

    /// Reads a task's arguments.
    ///
    /// - Parameters:
    ///   - keys: The task's keys.
    ///   - delimiter: What stands between examples, which ends answers where the task does not say.
    ///   - changes: What the user wants otherwise.
    /// - Throws: ``TaskError``.
    init(_ keys: TaskKeys, delimiter: String, changes: JSONObject = [:]) throws(TaskError) {
        var object: JSONObject
        if let own = try keys.object(ifPresent: "generation_kwargs")?.keys {
            object = own
            if let value = own["temperature"] {
                object["temperature"] = .number(
                    try GenerationArguments.number(value, "temperature", keys))
            }
            if own["until"] == nil { object["until"] = [.string(delimiter)] }
        } else {
            object = [
                "temperature": 0.0, "do_sample": false, "max_gen_toks": 256,
                "until": [.string(delimiter)],
            ]
        }
        for member in changes.members { object[member.key] = member.value }
        self.object = object
        let own = TaskKeys(file: keys.file, keys: object, prefix: "generation_kwargs.")
        stops = try own.strings("until")
        func number(_ key: String) throws(TaskError) -> Double? {
            guard let value = own[key] else { return nil }
            return try GenerationArguments.number(value, key, own)
        }
        let limits = ["max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens"]
        var limit: Double?
        for key in limits where limit == nil { limit = try number(key) }
        self.limit = Int(max(1, min(limit ?? 256, 1e9)))
        wholeLength = try number("max_length").map { Int(max(1, min($0, 1e9))) }
        for (key, neutral) in GenerationArguments.refused {
            if let found = try? number(key), found != neutral {
                throw .unsupported(
                    file: keys.file, key: "generation_kwargs.\(key)", found: "\(found)")
            }
        }
        var sampling = TokenSampler.Settings()
        let temperature = try number("temperature") ?? 0
        let draws = own["do_sample"]?.boolValue ?? (temperature > 0)
        sampling.temperature = draws ? temperature : 0
        // What the transformers library takes where nothing is said.
        sampling.topK = Int(max(0, min(try number("top_k") ?? 50, 1e9)))
        sampling.topP = try number("top_p") ?? 1
        sampling.minP = try number("min_p") ?? 0
        sampling.repetitionPenalty = try number("repetition_penalty") ?? 1
        sampling.repetitionWindow = .max
        self.sampling = sampling
    }

    /// Arguments that would change answers and are not done here, with the values that change nothing.
    private static let refused: [(String, Double)] = [
        ("num_beams", 1), ("num_return_sequences", 1), ("no_repeat_ngram_size", 0),
        ("min_length", 0), ("min_new_tokens", 0), ("presence_penalty", 0),
        ("frequency_penalty", 0),
    ]

    /// A number, which may stand in quotes.
    private static func number(
        _ value: JSONValue, _ key: String, _ keys: TaskKeys
    ) throws(TaskError) -> Double {
        guard let number = value.numberValue ?? value.stringValue.flatMap(Double.init) else {
            throw keys.failure(key, value, expected: "a number")
        }
        return number
    }
}

extension TaskSettings {
    /// What a user changes on the command line: `temperature=0.8,top_p=0.9`, or a JSON object.
    ///
    /// - Parameter text: The text.
    /// - Returns: The changes; nil if the text is neither.
    public static func generationChanges(_ text: String) -> JSONObject? {
        if text.hasPrefix("{") {
            return try? JSONValue(parsing: text, file: "--gen-kwargs").objectValue
        }
        var object = JSONObject()
        for part in text.split(separator: ",") {
            guard let equals = part.firstIndex(of: "="), equals > part.startIndex else {
                return nil
            }
            let value = String(part[part.index(after: equals)...])
            let literal: JSONValue? =
                switch value.lowercased() {
                case "true": true
                case "false": false
                default: try? JSONValue(parsing: value, file: "")
                }
            object[String(part[..<equals])] = literal ?? .string(value)
        }
        return object
    }
}
