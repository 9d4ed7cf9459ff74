import ArgumentParser
import Chat
import MambaLM
import Python

extension HistoryMode: ExpressibleByArgument {}

/// How answers are drawn and when they end.
struct SamplingOptions: ParsableArguments {
    private static let defaults = ChatSettings()

    @Option(
        help: """
            Divides the logits; 0 takes the most likely token each time. (default: \
            \(defaults.sampling.temperature); 0 for models of fewer than 10 million weights, unless \
            drawing is asked for by --top-p, --top-k, --min-p, --seed or --n)
            """)
    var temp: Double?

    @Option(
        help: """
            Keeps the fewest most likely tokens whose probabilities reach this sum. (default: \
            \(defaults.sampling.topP))
            """)
    var topP: Double?

    @Option(help: "Keeps this many of the most likely tokens; 0 keeps all. (default: 0)")
    var topK: Int?

    @Option(help: "Keeps tokens at least this share as likely as the most likely one. (default: 0)")
    var minP: Double?

    @Option(
        help: """
            Makes recent tokens less likely; 1 changes nothing. (default: \
            \(defaults.sampling.repetitionPenalty); 1 where --temp is 0 by default)
            """)
    var repeatPenalty: Double?

    @Option(help: "How many of the last tokens count as recent; 0 for none, -1 for all.")
    var repeatLastN = defaults.sampling.repetitionWindow

    @Option(help: "The same seed gives the same answer.")
    var seed: UInt64?

    @Option(help: "Maximum number of tokens per answer.")
    var maxTokens = defaults.maxTokens

    @Option(
        parsing: .singleValue,
        help: "A text that ends the answer and is not part of it; may be given again.")
    var stop: [String] = []

    @Option(
        help: """
            What becomes of earlier turns: the whole conversation is one prompt (recompute), each \
            turn goes on from the last one's state, at constant cost (carry), or each message is a \
            prompt of its own (none). (default: \(defaults.history.rawValue); none for models of \
            fewer than 10 million weights)
            """)
    var history: HistoryMode?

    /// The settings that the options make up.
    var settings: ChatSettings {
        var x = ChatSettings()
        x.sampling.temperature = temp ?? x.sampling.temperature
        x.sampling.topP = topP ?? x.sampling.topP
        x.sampling.topK = topK ?? x.sampling.topK
        x.sampling.minP = minP ?? x.sampling.minP
        x.sampling.repetitionPenalty = repeatPenalty ?? x.sampling.repetitionPenalty
        x.sampling.repetitionWindow = repeatLastN == -1 ? .max : repeatLastN
        x.seed = seed ?? x.seed
        x.maxTokens = maxTokens
        x.stopStrings = stop
        x.history = history ?? x.history
        return x
    }

    /// The weights below which a model is small: drawn at a temperature, such models babble.
    private static let smallSize = 10_000_000

    /// The settings for a model: a small one takes the most likely token each time, unless drawing is
    /// asked for, and reads each message alone, since what it has learnt are records of one turn.
    ///
    /// - Parameters:
    ///   - parameters: The model's number of weights.
    ///   - count: How many answers are wanted.
    /// - Returns: The settings, and what to tell the person about them.
    func settings(parameters: Int, count: Int) -> (settings: ChatSettings, note: String?) {
        var x = settings
        guard parameters < Self.smallSize else { return (x, nil) }
        let asksForDraws =
            temp != nil || topP != nil || topK != nil || minP != nil || seed != nil || count > 1
        var notes: [(what: String, remedy: String)] = []
        if !asksForDraws {
            x.sampling.temperature = 0
            if repeatPenalty == nil { x.sampling.repetitionPenalty = 1 }
            notes.append(
                (
                    "each token is the most likely one",
                    "--temp \(Self.defaults.sampling.temperature) draws"
                ))
        }
        if history == nil {
            x.history = .separate
            notes.append(
                ("each message stands alone", "--history recompute keeps the conversation"))
        }
        guard !notes.isEmpty else { return (x, nil) }
        let millions = PythonFloat.fixed(Double(parameters) / 1e6, places: 1)
        return (
            x,
            "a small model, \(millions) million weights: "
                + notes.map(\.what).joined(separator: ", ") + "; "
                + notes.map(\.remedy).joined(separator: ", ")
        )
    }

    func validate() throws {
        do {
            try settings.validate()
        } catch ChatError.setting(let name, let found, let expected) {
            let option = name == "temperature" ? "temp" : name
            throw ValidationError("--\(option) is \(found), expected \(expected)")
        }
    }
}
