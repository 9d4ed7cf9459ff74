import Glibc
import Tensors

/// Draws the next token from logits.
///
/// In this order, which is that of the transformers library's `generate`:
///
/// 1. The repetition penalty: logits of recent tokens are divided by it if positive, else multiplied.
/// 2. Temperature: logits are divided by it; at 0 the largest one is taken, and all that follows is left
///    out.
/// 3. Top-k: the `k` most likely tokens stay.
/// 4. Top-p: of their probabilities, which sum to 1 again, the fewest that reach `p` stay.
/// 5. Min-p: those stay that are at least that share as likely as the most likely one.
/// 6. One of them is drawn.
///
/// Of equally likely tokens, the one with the smaller id counts as the more likely. Tokens that are less
/// than `exp(-30)` times as likely as the most likely one are left out; together they are less than a
/// millionth of a percent. Nothing is sorted, and after the first draws nothing is allocated.
///
/// Source: Keskar et al. 2019, "CTRL", section 4.1 (penalty); Fan et al. 2018 (top-k); Holtzman et al. 2020
/// (top-p); Nguyen et al. 2024 (min-p).
public struct TokenSampler: Sendable {
    /// How tokens are drawn.
    public struct Settings: Equatable, Sendable {
        /// Divides the logits; 0 takes the most likely token.
        public var temperature = 0.7
        /// Keeps the fewest most likely tokens whose probabilities reach this sum; 1 keeps all.
        public var topP = 0.9
        /// Keeps this many of the most likely tokens; 0 keeps all.
        public var topK = 0
        /// Keeps tokens at least this share as likely as the most likely one; 0 keeps all.
        public var minP = 0.0
        /// Divides positive logits of recent tokens and multiplies negative ones; 1 changes none.
        public var repetitionPenalty = 1.1
        /// How many of the last tokens count as recent, those of the prompt included; 0 for none.
        public var repetitionWindow = 64

        /// Creates the defaults.
        public init() {}
    }

    /// How tokens are drawn.
    public var settings: Settings
    private var generator: SplitMix64
    private var candidates = TokenCandidates()
    /// For each id, the draw in which it was last found among the recent ones.
    private var lastPenalised: [UInt64] = []
    private var draws: UInt64 = 0

    /// Creates a sampler.
    ///
    /// - Parameters:
    ///   - settings: How tokens are drawn.
    ///   - seed: The same seed draws the same tokens.
    ///   - stream: Tells samplers of one seed apart; those of different streams draw independently.
    public init(_ settings: Settings, seed: UInt64, stream: Int = 0) {
        self.settings = settings
        generator = SplitMix64(seed: Self.seed(seed, stream: stream))
    }

    /// The seed of one of many streams; stream 0 is the seed itself.
    public static func seed(_ seed: UInt64, stream: Int) -> UInt64 {
        guard stream != 0 else { return seed }
        var first = SplitMix64(seed: seed)
        var second = SplitMix64(seed: first.next() &+ UInt64(bitPattern: Int64(stream)))
        return second.next()
    }

    /// Draws a token.
    ///
    /// - Parameters:
    ///   - logits: One a token id, at least one; used as working memory, so that they hold something else
    ///     afterwards. NaN counts as impossible.
    ///   - recent: The tokens so far, the newest last.
    /// - Returns: The id.
    /// - Complexity: O(*n*) on average, where *n* is the number of logits.
    public mutating func next(_ logits: inout [Float], after recent: [Int32]) -> Int32 {
        penalise(&logits, recent)
        var largest = -Float.infinity
        for logit in logits where logit > largest { largest = logit }
        // Where the largest is infinite, no other has a probability to speak of.
        guard settings.temperature > 0, largest.isFinite else {
            return Int32(logits.firstIndex(of: largest) ?? 0)
        }
        candidates.weigh(logits, largest: largest, temperature: settings.temperature)
        if settings.topK > 0 { candidates.keep(settings.topK) }
        if settings.topP < 1 { candidates.keep(share: settings.topP) }
        if settings.minP > 0 { candidates.keep(atLeast: settings.minP) }
        return candidates.draw(generator.nextUnit())
    }

    private mutating func penalise(_ logits: inout [Float], _ recent: [Int32]) {
        guard settings.repetitionPenalty != 1, settings.repetitionWindow > 0 else { return }
        if lastPenalised.count != logits.count {
            lastPenalised = [UInt64](repeating: 0, count: logits.count)
            draws = 0
        }
        draws += 1
        let penalty = Float(settings.repetitionPenalty)
        for id in recent.suffix(settings.repetitionWindow) {
            let id = Int(id)
            guard logits.indices.contains(id), lastPenalised[id] != draws else { continue }
            lastPenalised[id] = draws
            logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty
        }
    }
}
