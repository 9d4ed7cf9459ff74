import Tensors
import TestSupport
import Testing

@testable import Kernels

@Suite("Dropout")
struct DropoutTests {
    private let engine = makeEngine(threads: 2)

    /// What is left of a matrix of ones.
    private func kept(
        _ probability: Float, seed: UInt64 = 1, name: String = "a", shape: [Int] = [200, 300]
    ) -> [Float] {
        let y = Tensor(uninitialized: shape)
        engine.drop(
            Dropout(probability: probability, seed: seed, name: name),
            Tensor(shape: shape, repeating: 1), into: y)
        return y.values
    }

    @Test(
        "the share of dropped elements is the probability, the others make up for them",
        arguments: [0.05, 0.3, 0.9] as [Float])
    func share(probability: Float) {
        let kept = kept(probability)
        let dropped = Double(kept.count { $0 == 0 })
        let (count, p) = (Double(kept.count), Double(probability))
        // Five standard deviations of the binomial distribution.
        #expect(abs(dropped - count * p) < 5 * (count * p * (1 - p)).squareRoot())
        #expect(kept.allSatisfy { $0 == 0 || $0 == 1 / (1 - probability) })
    }

    @Test("rows, columns and neighbours are dropped independently")
    func independence() {
        let (rows, columns) = (200, 300)
        let isDropped = kept(0.5, shape: [rows, columns]).map { $0 == 0 }
        for row in 0..<rows {
            let share = isDropped[row * columns..<(row + 1) * columns].count { $0 }
            #expect(abs(share - columns / 2) < 50)
        }
        for column in 0..<columns {
            let share = (0..<rows).count { isDropped[$0 * columns + column] }
            #expect(abs(share - rows / 2) < 42)
        }
        for distance in [1, columns] {
            let pairs = isDropped.count - distance
            let equal = (0..<pairs).count { isDropped[$0] == isDropped[$0 + distance] }
            // Six standard deviations.
            #expect(abs(Double(equal) - Double(pairs) / 2) < 3 * Double(pairs).squareRoot())
        }
    }

    @Test("the choice depends on seed and name alone")
    func determinism() {
        #expect(kept(0.5) == kept(0.5))
        for other in [kept(0.5, seed: 2), kept(0.5, name: "b")] {
            let same = zip(kept(0.5), other).count { $0 == $1 }
            #expect(abs(same - 30_000) < 3 * 245)
        }
    }

    @Test("the choice of each element is the same in every version")
    func pinnedBits() {
        // A resumed run must drop what the unbroken one drops, also after an update.
        let isKept = kept(0.5, seed: 42, name: "backbone.layers.0", shape: [8, 8]).map { $0 != 0 }
        let rows = (0..<8).map { row in
            isKept[row * 8..<row * 8 + 8].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
        }
        #expect(rows == [222, 154, 236, 161, 128, 206, 187, 218])
    }

    @Test("nothing is dropped with probability 0")
    func nothing() {
        #expect(kept(0).allSatisfy { $0 == 1 })
    }

    @Test("a view is dropped in place as a tensor of its own is")
    func placement() {
        let wide = Tensor(shape: [3, 5], repeating: 2)
        let own = Tensor(shape: [3, 2], repeating: 2)
        let dropout = Dropout(probability: 0.5, seed: 7, name: "view")
        engine.drop(dropout, wide.columns(1..<3), into: wide.columns(1..<3))
        engine.drop(dropout, own, into: own)
        #expect(wide.columns(1..<3).values == own.values)
        #expect(wide.columns(3..<5).values.allSatisfy { $0 == 2 })
    }
}
