import Glibc
import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Cross-entropy")
struct CrossEntropyTests {
    @Test(
        "log-probabilities and gradients match the reference", arguments: InstructionSet.available,
        [1, 2, 16, 1203])
    func matchesReference(_ set: InstructionSet, classes: Int) {
        var generator = SeededGenerator(seed: 5)
        let logits = Tensor.random([5, classes], in: -20...20, using: &generator)
        let targets = (0..<5).map { Int32($0 * 7 % classes) }
        let weights: [Float] = [1, 0.5, 0, 2, 0.25]
        let engine = makeEngine(threads: 2, instructionSet: set)
        let scores = engine.crossEntropy(
            logits.copy(), CrossEntropy.Inputs(targets: targets)
        ).value
        let gradient = logits.copy()
        let trained = engine.crossEntropy(
            gradient, CrossEntropy.Inputs(targets: targets, gradientWeights: weights)
        ).value
        #expect(trained.logProbabilities == scores.logProbabilities)

        let values = DoubleMatrix(logits)
        for row in 0..<5 where weights[row] != 0 {
            let line = (0..<classes).map { values[row, $0] }
            let total = line.reduce(0) { $0 + exp($1) }
            let expected = line[Int(targets[row])] - log(total)
            #expect(abs(scores.logProbabilities[row] - expected) < 5e-6)
            #expect(scores.isGreedy[row] == (line[Int(targets[row])] == line.max()))
            let weight = Double(weights[row])
            expectClose(
                gradient.rows(row..<row + 1).values,
                line.indices.map {
                    weight * (exp(line[$0]) / total - ($0 == Int(targets[row]) ? 1 : 0))
                }, within: Tolerance(absolute: 1e-6, relative: 1e-5))
        }
    }

    @Test("of equal logits the first is the most likely")
    func tiesGoToTheFirst() {
        let logits = Tensor([3, 5, 5, 1], shape: [1, 4])
        let engine = makeEngine(threads: 1)
        #expect(engine.crossEntropy(logits, .init(targets: [1])).value.isGreedy == [true])
        #expect(engine.crossEntropy(logits, .init(targets: [2])).value.isGreedy == [false])
    }

    @Test("a NaN logit makes the log-probability NaN")
    func nanIsSeen() {
        let values = (0..<40).map { $0 == 33 ? Float.nan : Float($0) }
        let logits = Tensor(values, shape: [1, 40])
        let scores = makeEngine(threads: 1).crossEntropy(logits, .init(targets: [2])).value
        #expect(scores.logProbabilities[0].isNaN)
    }
}
