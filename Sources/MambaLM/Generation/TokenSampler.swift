import Glibc
import Kernels

/// Draws the next token from logits.
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
        /// How many of the last tokens count as recent.
        public var repetitionWindow = 64

        /// Creates the defaults.
        public init() {}
    }

    /// How tokens are drawn.
    public var settings: Settings
    private var generator: SplitMix64

    /// Creates a sampler; the same seed draws the same tokens.
    public init(_ settings: Settings, seed: UInt64) {
        self.settings = settings
        generator = SplitMix64(seed: seed)
    }

    /// Draws a token.
    ///
    /// - Parameters:
    ///   - logits: One a token id.
    ///   - recent: The tokens so far, the newest last.
    /// - Returns: The id.
    public mutating func next(_ logits: [Float], after recent: [Int32]) -> Int32 {
        var logits = logits
        penalise(&logits, recent)
        let best = logits.indices.max { logits[$0] < logits[$1] } ?? 0
        guard settings.temperature > 0 else { return Int32(best) }
        let top = Double(logits[best])
        let weights = logits.map { exp((Double($0) - top) / settings.temperature) }
        let kept = candidates(weights)
        var left = generator.nextUnit() * kept.reduce(0) { $0 + weights[$1] }
        for id in kept {
            left -= weights[id]
            if left < 0 { return Int32(id) }
        }
        return Int32(kept.last ?? best)
    }

    private func penalise(_ logits: inout [Float], _ recent: [Int32]) {
        guard settings.repetitionPenalty != 1 else { return }
        let penalty = Float(settings.repetitionPenalty)
        for id in Set(recent.suffix(settings.repetitionWindow)) where Int(id) < logits.count {
            let logit = logits[Int(id)]
            logits[Int(id)] = logit > 0 ? logit / penalty : logit * penalty
        }
    }

    /// The ids that may be drawn, the most likely first where an order was needed.
    private func candidates(_ weights: [Double]) -> [Int] {
        var kept = Array(weights.indices)
        if settings.minP > 0 { kept.removeAll { weights[$0] < settings.minP } }
        guard settings.topK > 0 || settings.topP < 1 else { return kept }
        kept.sort { (weights[$0], $1) > (weights[$1], $0) }
        if settings.topK > 0 { kept = Array(kept.prefix(settings.topK)) }
        guard settings.topP < 1 else { return kept }
        let limit = settings.topP * kept.reduce(0) { $0 + weights[$1] }
        var sum = 0.0
        let count = kept.firstIndex { id in
            sum += weights[id]
            return sum >= limit
        }
        return Array(kept.prefix((count ?? kept.count - 1) + 1))
    }
}
