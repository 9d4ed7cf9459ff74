import ArgumentParser
import Chat
import MambaLM

extension HistoryMode: ExpressibleByArgument {}

/// How answers are drawn and when they end.
struct SamplingOptions: ParsableArguments {
    private static let defaults = ChatSettings()

    @Option(help: "Divides the logits; 0 takes the most likely token each time.")
    var temp = defaults.sampling.temperature

    @Option(help: "Keeps the fewest most likely tokens whose probabilities reach this sum.")
    var topP = defaults.sampling.topP

    @Option(help: "Keeps this many of the most likely tokens; 0 keeps all.")
    var topK = defaults.sampling.topK

    @Option(help: "Keeps tokens at least this share as likely as the most likely one.")
    var minP = defaults.sampling.minP

    @Option(help: "Makes recent tokens less likely; 1 changes nothing.")
    var repeatPenalty = defaults.sampling.repetitionPenalty

    @Option(help: "How many of the last tokens count as recent; 0 for none, -1 for all.")
    var repeatLastN = defaults.sampling.repetitionWindow

    @Option(help: "The same seed gives the same answer.")
    var seed = defaults.seed

    @Option(help: "Maximum number of tokens per answer.")
    var maxTokens = defaults.maxTokens

    @Option(
        parsing: .singleValue,
        help: "A text that ends the answer and is not part of it; may be given again.")
    var stop: [String] = []

    @Option(
        help: """
            What becomes of earlier turns: the whole conversation is one prompt (recompute), or each \
            turn goes on from the last one's state, at constant cost (carry).
            """)
    var history = defaults.history

    /// The settings that the options make up.
    var settings: ChatSettings {
        var x = ChatSettings()
        x.sampling.temperature = temp
        (x.sampling.topP, x.sampling.topK, x.sampling.minP) = (topP, topK, minP)
        x.sampling.repetitionPenalty = repeatPenalty
        x.sampling.repetitionWindow = repeatLastN == -1 ? .max : repeatLastN
        (x.seed, x.maxTokens, x.stopStrings, x.history) = (seed, maxTokens, stop, history)
        return x
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
