import Kernels
import Tensors
import TestSupport
import Testing

/// Products that take one of low rank along, against the product alone and the term in double precision.
@Suite("Low-rank products")
struct LowRankProductTests {
    struct Size: CustomTestStringConvertible {
        var (tokens, inFeatures, outFeatures, rank) = (0, 0, 0, 0)
        var testDescription: String { "[\(tokens), \(inFeatures)] to \(outFeatures), rank \(rank)" }

        static let all = [
            Size(tokens: 1, inFeatures: 6, outFeatures: 4, rank: 1),
            Size(tokens: 16, inFeatures: 40, outFeatures: 34, rank: 8),
            Size(tokens: 17, inFeatures: 40, outFeatures: 34, rank: 8),
            Size(tokens: 50, inFeatures: 34, outFeatures: 96, rank: 3),
            // Deeper than a block of lanes, and more than one pass of rows.
            Size(tokens: 300, inFeatures: 802, outFeatures: 66, rank: 11),
            Size(tokens: 33, inFeatures: 66, outFeatures: 130, rank: 64),
            Size(tokens: 20, inFeatures: 34, outFeatures: 34, rank: 65),
            Size(tokens: 20, inFeatures: 33, outFeatures: 35, rank: 4),
            Size(tokens: 20, inFeatures: 64, outFeatures: 64, rank: 0),
        ]
    }

    static let engines = EngineCase.all + [.emulatedTiles]

    @Test(
        "a term is added to at least 15 bits, forwards and backwards", arguments: engines,
        Size.all)
    func term(_ way: EngineCase, _ size: Size) {
        let engine = way.engine
        var generator = SeededGenerator(seed: 11)
        func random(_ rows: Int, _ columns: Int) -> Tensor {
            Tensor.random([rows, columns], in: -1...1, using: &generator)
        }
        let x = random(size.tokens, size.inFeatures)
        let up = random(size.tokens, size.outFeatures)
        let left = random(size.tokens, size.rank)
        let (tall, wide) = (random(size.outFeatures, size.rank), random(size.rank, size.inFeatures))
        let values = random(size.outFeatures, size.inFeatures)
        let bias = Tensor.random([size.outFeatures], in: -1...1, using: &generator)
        for format in [WeightMatrix.Format.float32, .bfloat16] {
            let weight = engine.rounded(values, to: format)
            let (alone, both) = (engine.copy(up), engine.copy(up))
            engine.linear(x, weight: weight, bias: bias, adding: alone, into: alone)
            engine.linear(
                x, weight: weight, plus: LowRankProduct(left: left, right: tall), bias: bias,
                adding: both, into: both)
            expectTerm(both, alone, left) { n, k in tall[n, k] }

            let (gradAlone, gradBoth) = (engine.copy(x), engine.copy(x))
            engine.linearInputGradient(up, weight: weight, adding: gradAlone, into: gradAlone)
            engine.linearInputGradient(
                up, weight: weight, plus: LowRankProduct(left: left, right: wide),
                adding: gradBoth, into: gradBoth)
            expectTerm(gradBoth, gradAlone, left) { n, k in wide[k, n] }
        }
    }

    /// Expects that the first tensor is the second plus the product of `left` and a factor.
    private func expectTerm(
        _ both: Tensor, _ alone: Tensor, _ left: Tensor, factor: (_ column: Int, _ k: Int) -> Float
    ) {
        var worst = 0.0
        for m in 0..<both.rows {
            for n in 0..<both.columns {
                var (sum, size) = (0.0, 0.0)
                for k in 0..<left.columns {
                    let product = Double(left[m, k]) * Double(factor(n, k))
                    sum += product
                    size += abs(product)
                }
                let expected = Double(alone[m, n]) + sum
                // Sums of up to 800 products in single precision are added up in another order.
                let allowed = size * 0x1p-15 + abs(expected) * 0x1p-22 + 2e-4
                worst = max(worst, abs(Double(both[m, n]) - expected) / allowed)
            }
        }
        #expect(worst < 1)
    }

    @Test("both halves of both factors count")
    func halves() {
        let engine = makeEngine(emulatesTiles: true)
        let weight = engine.rounded(Tensor(shape: [32, 32]), to: .bfloat16)
        let x = Tensor(shape: [32, 32])
        // 1 + 2^-10 is not a bfloat16, and the product of two has no room for the last term in 16 bits.
        let left = Tensor(shape: [32, 1], repeating: 1 + 0x1p-10)
        let right = Tensor(shape: [32, 1], repeating: 1 + 0x1p-10)
        let y = engine.tensor([32, 32])
        engine.linear(
            x, weight: weight, plus: LowRankProduct(left: left, right: right), bias: nil,
            adding: nil, into: y)
        #expect(engine.fusesLowRankProducts(by: weight))
        #expect(y.values.allSatisfy { $0 == 1 + 0x1p-9 })
    }

    @Test("threads change no bit", arguments: [2, 5])
    func threads(_ threads: Int) {
        var generator = SeededGenerator(seed: 12)
        let x = Tensor.random([70, 64], in: -1...1, using: &generator)
        let left = Tensor.random([70, 8], in: -1...1, using: &generator)
        let right = Tensor.random([96, 8], in: -1...1, using: &generator)
        let values = Tensor.random([96, 64], in: -1...1, using: &generator)
        func run(_ threads: Int, rows: Range<Int>) -> [Float] {
            let engine = makeEngine(threads: threads, emulatesTiles: true)
            let y = engine.tensor([rows.count, 96])
            engine.linear(
                x.rows(rows), weight: engine.rounded(values, to: .bfloat16),
                plus: LowRankProduct(left: left.rows(rows), right: right), bias: nil, adding: nil,
                into: y)
            return y.values
        }
        let all = run(1, rows: 0..<70)
        #expect(run(threads, rows: 0..<70) == all)
        #expect(run(threads, rows: 20..<57) == Array(all[20 * 96..<57 * 96]))
    }
}
