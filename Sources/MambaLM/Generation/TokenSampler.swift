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

/// The tokens that may still be drawn, in memory that every draw uses again.
///
/// Those that are kept are found by partial selection: weights are summed in buckets, and only the
/// bucket in which the border lies is parted further, as in Hoare's quickselect.
struct TokenCandidates: Sendable {
    /// A token and its probability relative to the most likely one's, `exp(-30)` to 1.
    private struct Candidate {
        var id: Int32
        var weight: Float

        /// Whether it counts as more likely.
        func precedes(_ other: Candidate) -> Bool {
            weight != other.weight ? weight > other.weight : id < other.id
        }

        /// One of a row of buckets, 16 for each power of two, the heaviest first.
        ///
        /// The bits of a positive float order as its value does; four of them are of the fraction.
        var bucket: Int { Int((Float(1).bitPattern >> 19) &- (weight.bitPattern >> 19)) }
    }

    /// From 1 down to `exp(-30)`, more than `2^-44`.
    private static let bucketCount = 44 * 16 + 1

    private var candidates: [Candidate] = []
    private var sums = [Double](repeating: 0, count: Self.bucketCount)

    /// Takes all tokens that are likely enough to matter, of weight
    /// `exp((logit - largest) / temperature)`.
    mutating func weigh(_ logits: [Float], largest: Float, temperature: Double) {
        candidates.removeAll(keepingCapacity: true)
        var id: Int32 = 0
        let least = Float(Double(largest) - 30 * temperature)
        for logit in logits {
            // NaN is not at least anything.
            if logit >= least {
                let power = max((Double(logit) - Double(largest)) / temperature, -30)
                candidates.append(Candidate(id: id, weight: expf(Float(power))))
            }
            id += 1
        }
    }

    /// Keeps so many of the heaviest.
    mutating func keep(_ count: Int) {
        guard count < candidates.count else { return }
        keepFirst(reaching: Double(count)) { _ in 1 }
    }

    /// Keeps the fewest, the heaviest first, that together have a share of the whole weight.
    mutating func keep(share: Double) {
        keepFirst(reaching: share * totalWeight) { Double($0.weight) }
    }

    /// Keeps those of at least a weight.
    mutating func keep(atLeast least: Double) {
        candidates.removeAll { Double($0.weight) < least }
    }

    /// The candidate at a place, in [0, 1), along all weights laid end to end.
    func draw(_ place: Double) -> Int32 {
        var left = place * totalWeight
        for candidate in candidates {
            left -= Double(candidate.weight)
            if left < 0 { return candidate.id }
        }
        // Rounding may leave a rest; the last one gets it.
        return candidates.last?.id ?? 0
    }

    private var totalWeight: Double { candidates.reduce(0) { $0 + Double($1.weight) } }

    /// Keeps the fewest candidates, in their order, whose measures reach a sum.
    private mutating func keepFirst(reaching sum: Double, _ measure: (Candidate) -> Double) {
        for bucket in sums.indices { sums[bucket] = 0 }
        for candidate in candidates { sums[candidate.bucket] += measure(candidate) }
        var (kept, border) = (0.0, 0)
        while border < sums.count, kept + sums[border] < sum {
            kept += sums[border]
            border += 1
        }
        let count = moveFront { $0.bucket <= border }
        candidates.removeSubrange(count...)
        let start = moveFront { $0.bucket < border }
        candidates.removeSubrange(end(reaching: sum, from: start, kept, measure)...)
    }

    /// Puts those that fulfil a condition before the others; gives their number.
    private mutating func moveFront(_ condition: (Candidate) -> Bool) -> Int {
        var place = 0
        for other in candidates.indices where condition(candidates[other]) {
            candidates.swapAt(place, other)
            place += 1
        }
        return place
    }

    /// Puts candidates in order as far as it takes to find where their measures reach a sum.
    ///
    /// - Parameters:
    ///   - sum: The sum.
    ///   - start: The first to be put in order; all before it precede all from it on.
    ///   - kept: The sum of the measures before it.
    ///   - measure: What is summed.
    /// - Returns: The place after the last one that is needed.
    private mutating func end(
        reaching sum: Double, from start: Int, _ kept: Double, _ measure: (Candidate) -> Double
    ) -> Int {
        var (start, end, kept) = (start, candidates.count, kept)
        // All before `start` are needed, none from `end` on; the border is between.
        while start < end, kept < sum {
            let middle = part(start..<end)
            let before = candidates[start..<middle].reduce(0) { $0 + measure($1) }
            if kept + before >= sum {
                end = middle
            } else {
                kept += before + measure(candidates[middle])
                start = middle + 1
            }
        }
        return start
    }

    /// Puts those that precede one of them before it and the others after it; gives its place.
    private mutating func part(_ range: Range<Int>) -> Int {
        let (first, last) = (range.lowerBound, range.upperBound - 1)
        candidates.swapAt(medianPlace(first, first + range.count / 2, last), last)
        let pivot = candidates[last]
        var place = first
        for other in first..<last where candidates[other].precedes(pivot) {
            candidates.swapAt(place, other)
            place += 1
        }
        candidates.swapAt(place, last)
        return place
    }

    /// The place of the one in the middle of three.
    private func medianPlace(_ a: Int, _ b: Int, _ c: Int) -> Int {
        let (x, y, z) = (candidates[a], candidates[b], candidates[c])
        if x.precedes(y) { return y.precedes(z) ? b : (x.precedes(z) ? c : a) }
        return x.precedes(z) ? a : (y.precedes(z) ? c : b)
    }
}
