import Glibc
import MambaLM
import Tensors
import TestSupport
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

    private func draw(
        _ sampler: inout TokenSampler, _ logits: [Float], after recent: [Int32] = []
    ) -> Int32 {
        var logits = logits
        return sampler.next(&logits, after: recent)
    }

    /// How often each token is drawn.
    private func counts(
        _ settings: TokenSampler.Settings, _ logits: [Float], draws: Int, after recent: [Int32] = []
    ) -> [Int] {
        var sampler = TokenSampler(settings, seed: 9)
        var counts = [Int](repeating: 0, count: logits.count)
        for _ in 0..<draws { counts[Int(draw(&sampler, logits, after: recent))] += 1 }
        return counts
    }

    /// What a sampler may be asked for, and a draw's distribution by its definition.
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var settings: TokenSampler.Settings
        var recent: [Int32] = []

        init(
            _ name: String, recent: [Int32] = [],
            _ change: (inout TokenSampler.Settings) -> Void
        ) {
            settings = TokenSampler.Settings()
            (settings.temperature, settings.topP, settings.repetitionPenalty) = (1, 1, 1)
            change(&settings)
            (testDescription, self.recent) = (name, recent)
        }

        static let all = [
            Case("as it is") { _ in },
            Case("temperature 0.5") { $0.temperature = 0.5 },
            Case("temperature 2") { $0.temperature = 2 },
            Case("top-k 5") { $0.topK = 5 },
            Case("top-k 1000") { $0.topK = 1000 },
            Case("top-p 0.8") { $0.topP = 0.8 },
            Case("top-p 0.01") { $0.topP = 0.01 },
            Case("min-p 0.2") { $0.minP = 0.2 },
            Case("penalty 1.5 over 3", recent: [3, 3, 0, 7, 7, 12]) {
                ($0.repetitionPenalty, $0.repetitionWindow) = (1.5, 3)
            },
            Case("penalty over no token", recent: [3, 0]) {
                ($0.repetitionPenalty, $0.repetitionWindow) = (1.5, 0)
            },
            Case("all together", recent: [5, 11, 2]) {
                ($0.temperature, $0.topK, $0.topP, $0.minP) = (0.8, 12, 0.9, 0.05)
                $0.repetitionPenalty = 1.3
            },
        ]

        /// The distribution, by sorting.
        func probabilities(_ logits: [Float]) -> [Double] {
            var x = logits.map(Double.init)
            for id in Set(recent.suffix(settings.repetitionWindow)) {
                let penalty = settings.repetitionPenalty
                x[Int(id)] = x[Int(id)] > 0 ? x[Int(id)] / penalty : x[Int(id)] * penalty
            }
            var weights = x.map { exp($0 / settings.temperature) }
            func zero(from place: Int) {
                let order = weights.indices.sorted { (weights[$0], $1) > (weights[$1], $0) }
                for id in order.dropFirst(place) { weights[id] = 0 }
            }
            if settings.topK > 0 { zero(from: settings.topK) }
            let total = weights.reduce(0, +)
            var (sum, place) = (0.0, 0)
            for weight in weights.sorted(by: >) where sum < settings.topP * total {
                sum += weight
                place += 1
            }
            zero(from: place)
            let largest = weights.max() ?? 0
            weights = weights.map { $0 < settings.minP * largest ? 0 : $0 }
            let kept = weights.reduce(0, +)
            return weights.map { $0 / kept }
        }
    }

    @Test("100,000 draws follow the definition, by a chi-square test", arguments: Case.all)
    func followsDefinition(samplerCase: Case) {
        var generator = SeededGenerator(seed: 4)
        var logits = (0..<40).map { _ in Float(generator.nextUniform(-2, 2)) }
        // Large ones for the recent tokens, so that a wrong penalty shows.
        (logits[0], logits[3], logits[5]) = (1.9, -1.8, 1.8)
        (logits[7], logits[11], logits[12]) = (1.7, 1.6, -1.5)
        let draws = 100_000
        let counts = counts(samplerCase.settings, logits, draws: draws, after: samplerCase.recent)
        let probabilities = samplerCase.probabilities(logits)
        var (statistic, freedom) = (0.0, -1.0)
        for (count, probability) in zip(counts, probabilities) {
            guard probability > 0 else {
                #expect(count == 0)
                continue
            }
            let expected = Double(draws) * probability
            statistic += (Double(count) - expected) * (Double(count) - expected) / expected
            freedom += 1
        }
        // Exceeded once in a thousand: the cube of a normal variable (Wilson and Hilferty 1931). The
        // seed is fixed.
        let spread = (2 / (9 * max(freedom, 1))).squareRoot()
        let cubeRoot = 1 - 2 / (9 * max(freedom, 1)) + 3.09 * spread
        let limit = freedom < 1 ? 0 : freedom * cubeRoot * cubeRoot * cubeRoot
        #expect(statistic <= limit, "\(statistic) with \(freedom) degrees of freedom")
    }

    @Test("what is kept of many logits, ties included, is what sorting keeps")
    func selectionIsSorting() {
        var generator = SeededGenerator(seed: 6)
        for round in 0..<60 {
            // Few different values, so that borders fall among equal ones.
            let logits = (0..<500).map { _ in Float(generator.nextUniform(0, 9).rounded()) }
            let samplerCase = Case("") {
                ($0.topK, $0.topP) = (round % 4 * 37, 0.1 + 0.015 * Double(round))
            }
            let allowed = samplerCase.probabilities(logits)
            var sampler = TokenSampler(samplerCase.settings, seed: UInt64(round))
            for _ in 0..<50 { #expect(allowed[Int(draw(&sampler, logits))] > 0) }
        }
    }

    @Test("temperature 0 takes the largest logit, the first of equal ones")
    func greedy() {
        let greedy = settings { $0.temperature = 0 }
        #expect(counts(greedy, logits, draws: 5) == [0, 5, 0, 0, 0])
        #expect(counts(greedy, [1, 4, 4], draws: 5) == [0, 5, 0])
    }

    @Test("top-k, top-p and min-p keep the most likely tokens")
    func filters() {
        func kept(_ change: (inout TokenSampler.Settings) -> Void) -> [Int] {
            let counts = counts(settings(change), logits, draws: 20_000)
            return counts.indices.filter { counts[$0] > 0 }
        }
        #expect(kept { $0.topK = 2 } == [1, 2])
        // exp(3) and exp(2) together are 0.86 of the whole.
        #expect(kept { $0.topP = 0.85 } == [1, 2])
        #expect(kept { $0.topP = 0.6 } == [1])
        #expect(kept { $0.minP = 0.1 } == [0, 1, 2])
        // Of the three most likely alone, exp(3) has 0.67: the sum is taken after top-k.
        #expect(kept { ($0.topK, $0.topP) = (3, 0.66) } == [1])
    }

    @Test("recent tokens become less likely, however often they came")
    func repetition() {
        var sampler = TokenSampler(
            settings {
                $0.temperature = 0
                $0.repetitionPenalty = 2
            }, seed: 1)
        #expect(draw(&sampler, logits, after: [1]) == 2)
        #expect(draw(&sampler, logits, after: [1, 1, 2]) == 1)
        #expect(draw(&sampler, [-1, -1.5], after: [0]) == 1)
        // Of both, a quarter each would leave token 0 the most likely.
        (sampler.settings.repetitionWindow, sampler.settings.repetitionPenalty) = (1, 4)
        #expect(draw(&sampler, logits, after: [1, 2]) == 1)
        sampler.settings.repetitionWindow = 2
        #expect(draw(&sampler, logits, after: [1, 2]) == 0)
        #expect(draw(&sampler, logits, after: [-4, 99]) == 1)
    }

    @Test("NaN is never drawn, and infinite logits do no harm")
    func oddLogits() {
        for temperature in [0, 1.0] {
            var sampler = TokenSampler(settings { $0.temperature = temperature }, seed: 3)
            for _ in 0..<20 { #expect(draw(&sampler, [.nan, 1, .nan]) == 1) }
            #expect(draw(&sampler, [1, .infinity, .nan]) == 1)
            #expect(draw(&sampler, [-.infinity, 2]) == 1)
            #expect(draw(&sampler, [.nan, .nan]) == 0)
        }
    }

    @Test("the same seed draws the same tokens, another seed or stream others")
    func seeds() {
        func tokens(_ seed: UInt64, stream: Int = 0) -> [Int32] {
            var sampler = TokenSampler(settings(), seed: seed, stream: stream)
            return (0..<50).map { _ in draw(&sampler, logits) }
        }
        #expect(tokens(4) == tokens(4))
        #expect(Set([tokens(4), tokens(5), tokens(4, stream: 1), tokens(4, stream: 2)]).count == 4)
    }
}
