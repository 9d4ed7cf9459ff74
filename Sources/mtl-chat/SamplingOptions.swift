import ArgumentParser
import MambaLM

/// How answers are drawn.
struct SamplingOptions: ParsableArguments {
    private static let defaults = TokenSampler.Settings()

    @Option(help: "Divides the logits; 0 takes the most likely token each time.")
    var temp = defaults.temperature

    @Option(help: "Keeps the fewest most likely tokens whose probabilities reach this sum.")
    var topP = defaults.topP

    @Option(help: "Keeps this many of the most likely tokens; 0 keeps all.")
    var topK = defaults.topK

    @Option(help: "Keeps tokens at least this share as likely as the most likely one.")
    var minP = defaults.minP

    @Option(help: "Makes recent tokens less likely; 1 changes nothing.")
    var repeatPenalty = defaults.repetitionPenalty

    @Option(help: "The same seed gives the same answer.")
    var seed: UInt64 = 42

    @Option(help: "The most tokens of an answer.")
    var maxTokens = 256

    /// The settings that the options make up.
    var settings: TokenSampler.Settings {
        var x = TokenSampler.Settings()
        (x.temperature, x.topP, x.topK, x.minP) = (temp, topP, topK, minP)
        x.repetitionPenalty = repeatPenalty
        return x
    }

    func validate() throws {
        guard temp >= 0 && temp.isFinite else {
            throw ValidationError("--temp is \(temp), expected at least 0.")
        }
        guard (0...1).contains(topP) && topP > 0 else {
            throw ValidationError("--top-p is \(topP), expected above 0 and at most 1.")
        }
        guard topK >= 0 else { throw ValidationError("--top-k is \(topK), expected at least 0.") }
        guard (0...1).contains(minP) else {
            throw ValidationError("--min-p is \(minP), expected 0 to 1.")
        }
        guard repeatPenalty > 0 && repeatPenalty.isFinite else {
            throw ValidationError("--repeat-penalty is \(repeatPenalty), expected above 0.")
        }
        guard maxTokens >= 1 else {
            throw ValidationError("--max-tokens is \(maxTokens), expected at least 1.")
        }
    }
}
