import Prompting
import Tensors
import Testing

@testable import FineTuning

@Suite("Step plan")
struct StepPlanTests {
    private func plan(
        _ count: Int, batch: Int = 2, accumulation: Int = 2, epochs: Double = 1, maxSteps: Int = -1,
        shuffles: Bool = true, seed: UInt64 = 42
    ) -> StepPlan {
        var configuration = TrainingConfiguration()
        configuration.batchSize = batch
        configuration.gradientAccumulationSteps = accumulation
        configuration.epochs = epochs
        configuration.maxSteps = maxSteps
        configuration.shuffles = shuffles
        configuration.seed = seed
        return StepPlan(recordCount: count, configuration: configuration)
    }

    @Test("the last step of an epoch takes what is left")
    func lastStepIsUsed() {
        let plan = plan(10, shuffles: false)
        #expect(plan.stepsPerEpoch == 3)
        let order = plan.order(inEpoch: 0)
        #expect(
            (0..<4).map { Array(plan.records(of: $0, in: order)) } == [
                [0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [0, 1, 2, 3],
            ])
    }

    @Test("steps follow from epochs, rounded up, unless they are given")
    func totalSteps() {
        #expect(plan(10).totalSteps == 3)
        #expect(plan(10, epochs: 2.5).totalSteps == 8)
        #expect(plan(10, epochs: 0.01).totalSteps == 1)
        #expect(plan(10, epochs: 3, maxSteps: 4).totalSteps == 4)
        #expect(plan(10).epoch(after: 6) == 2)
        #expect(plan(3, batch: .max, accumulation: 2).stepsPerEpoch == 1)
    }

    @Test("every epoch is a permutation of its own that the seed fixes")
    func ordersAreSeeded() {
        let plan = plan(50)
        let orders = (0..<3).map(plan.order)
        #expect(orders.allSatisfy { $0.sorted() == Array(0..<50) })
        #expect(Set(orders).count == 3)
        #expect(orders[1] == self.plan(50, batch: 7).order(inEpoch: 1))
        #expect(orders[1] != self.plan(50, seed: 43).order(inEpoch: 1))
        // Computed apart, from the documented algorithms; a change would break every resumption.
        #expect(self.plan(8).order(inEpoch: 0) == [0, 2, 4, 5, 7, 1, 3, 6])
    }

    @Test("all permutations of three are equally likely")
    func permutationsAreEven() {
        var generator = SplitMix64(seed: 1)
        var counts: [[Int]: Int] = [:]
        for _ in 0..<6000 { counts[generator.permutation(of: 3), default: 0] += 1 }
        // Five standard deviations of a binomial count are 144.
        #expect(counts.count == 6 && counts.values.allSatisfy { abs($0 - 1000) < 144 })
    }

    @Test("a pass has at most so many records and tokens, but at least one record")
    func passesAreBounded() {
        func record(_ count: Int) -> TrainingRecord {
            TrainingRecord(
                tokens: Array(repeating: 1, count: count), promptLength: 0,
                origin: RecordOrigin(file: "a", line: count))
        }
        let records = [3, 4, 2, 20, 2, 2, 2].map(record)
        let passes = StepPlan.passes(of: records, batchSize: 2, tokens: 8)
        #expect(passes.map { $0.map(\.tokens.count) } == [[3, 4], [2], [20], [2, 2], [2]])
    }

    @Test("the passes of a step are of about the same size")
    func passesAreEven() {
        func record(_ count: Int) -> TrainingRecord {
            TrainingRecord(
                tokens: Array(repeating: 1, count: count), promptLength: 0,
                origin: RecordOrigin(file: "a", line: count))
        }
        let passes = StepPlan.passes(
            of: [5, 5, 5, 5, 5, 5].map(record), batchSize: 16, tokens: 28)
        #expect(passes.map(\.count) == [3, 3])
    }
}
