import Glibc

/// The tokens that may still be drawn, in memory that every draw uses again.
///
/// Those that are kept are found by partial selection, as in Hoare's quickselect: the candidates are parted
/// around one of them, and only the part in which the border lies is looked at again.
struct TokenCandidates: Sendable {
    /// A token and its probability relative to the most likely one's.
    private struct Candidate {
        var id: Int32
        var weight: Double

        /// Whether it counts as more likely.
        func precedes(_ other: Candidate) -> Bool {
            weight != other.weight ? weight > other.weight : id < other.id
        }
    }

    private var candidates: [Candidate] = []

    /// Takes all ids up to a count.
    mutating func fill(count: Int) {
        candidates.removeAll(keepingCapacity: true)
        for id in 0..<Int32(count) { candidates.append(Candidate(id: id, weight: 0)) }
    }

    /// Keeps those with the largest logits.
    mutating func keep(_ count: Int, of logits: [Float]) {
        guard count < candidates.count else { return }
        for place in candidates.indices {
            candidates[place].weight = Double(logits[Int(candidates[place].id)])
        }
        keepFirst(reaching: Double(count)) { _ in 1 }
    }

    /// Sets the weights: `exp((logit - largest) / temperature)`.
    mutating func weigh(_ logits: [Float], largest: Float, temperature: Double) {
        for place in candidates.indices {
            let below = Double(logits[Int(candidates[place].id)]) - Double(largest)
            candidates[place].weight = exp(below / temperature)
        }
    }

    /// Keeps the fewest, the heaviest first, that together have a share of the whole weight.
    mutating func keep(share: Double) {
        let total = candidates.reduce(0) { $0 + $1.weight }
        keepFirst(reaching: share * total) { $0.weight }
    }

    /// Keeps those of at least a weight.
    mutating func keep(atLeast least: Double) {
        candidates.removeAll { $0.weight < least }
    }

    /// The candidate at a place, in [0, 1), along all weights laid end to end.
    func draw(_ place: Double) -> Int32 {
        var left = place * candidates.reduce(0) { $0 + $1.weight }
        for candidate in candidates {
            left -= candidate.weight
            if left < 0 { return candidate.id }
        }
        // Rounding may leave a rest; the last one with a weight gets it.
        return candidates.last { $0.weight > 0 }?.id ?? 0
    }

    /// Keeps the fewest candidates, in their order, whose measures reach a sum.
    private mutating func keepFirst(reaching sum: Double, _ measure: (Candidate) -> Double) {
        var (start, end) = (0, candidates.count)
        var kept = 0.0
        // All before `start` are kept, none from `end` on; the border is between.
        while start < end {
            let middle = part(start..<end)
            var before = 0.0
            for place in start..<middle { before += measure(candidates[place]) }
            if kept + before >= sum {
                end = middle
            } else {
                kept += before + measure(candidates[middle])
                start = middle + 1
                if kept >= sum { break }
            }
        }
        candidates.removeSubrange(start...)
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
