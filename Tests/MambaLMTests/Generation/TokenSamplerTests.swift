import Glibc
import MambaLM
import Testing

@Suite("Token sampler")
struct TokenSamplerTests {
    private let logits: [Float] = [1, 3, 2, -1, 0]

    private func settings(
        _ change: (inout TokenSampler.Settings) -> Void = { _ in }
    ) -> TokenSampler.Settings {
        var x = TokenSampler.Settings()
        (x.temperature, x.topP, x.repetitionPenalty) = (1, 1, 1)
        change(&x)
        return x
    }

    /// How often each token is drawn.
    private func counts(_ settings: TokenSampler.Settings, draws: Int = 20_000) -> [Int] {
        var sampler = TokenSampler(settings, seed: 9)
        var counts = [Int](repeating: 0, count: logits.count)
        for _ in 0..<draws { counts[Int(sampler.next(logits, after: []))] += 1 }
        return counts
    }

    @Test("draws follow the softmax, by a chi-square test", arguments: [0.5, 1.0, 2.0])
    func followsSoftmax(temperature: Double) {
        let counts = counts(settings { $0.temperature = temperature })
        let weights = logits.map { exp(Double($0) / temperature) }
        let total = weights.reduce(0, +)
        let statistic = zip(counts, weights).reduce(0.0) { sum, pair in
            let expected = 20_000 * pair.1 / total
            return sum + (Double(pair.0) - expected) * (Double(pair.0) - expected) / expected
        }
        // 18.5 is exceeded once in a thousand with 4 degrees of freedom; the seed is fixed.
        #expect(statistic < 18.5)
    }

    @Test("temperature 0 takes the largest logit")
    func greedy() {
        #expect(counts(settings { $0.temperature = 0 }, draws: 5) == [0, 5, 0, 0, 0])
    }

    @Test("top-k, top-p and min-p keep the most likely tokens")
    func filters() {
        func kept(_ change: (inout TokenSampler.Settings) -> Void) -> [Int] {
            counts(settings(change)).indices.filter { counts(settings(change))[$0] > 0 }
        }
        #expect(kept { $0.topK = 2 } == [1, 2])
        // exp(3) and exp(2) together are 0.86 of the whole.
        #expect(kept { $0.topP = 0.85 } == [1, 2])
        #expect(kept { $0.topP = 0.6 } == [1])
        #expect(kept { $0.minP = 0.1 } == [0, 1, 2])
    }

    @Test("recent tokens become less likely")
    func repetition() {
        var sampler = TokenSampler(
            settings {
                $0.temperature = 0
                $0.repetitionPenalty = 2
            }, seed: 1)
        #expect(sampler.next(logits, after: [1]) == 2)
        #expect(sampler.next(logits, after: [1, 2]) == 1)
        #expect(sampler.next([-1, -1.5], after: [0]) == 1)
    }

    @Test("the same seed draws the same tokens")
    func seeds() {
        func draw(_ seed: UInt64) -> [Int32] {
            var sampler = TokenSampler(settings(), seed: seed)
            return (0..<50).map { _ in sampler.next(logits, after: []) }
        }
        #expect(draw(4) == draw(4))
        #expect(draw(4) != draw(5))
    }
}
