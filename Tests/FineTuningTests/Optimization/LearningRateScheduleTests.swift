import Testing

@testable import FineTuning

@Suite("Learning rate schedule")
struct LearningRateScheduleTests {
    private func rates(
        _ kind: LearningRateSchedule.Kind, warmup: Double, total: Int, steps: [Int]
    ) -> [Double] {
        let schedule = LearningRateSchedule(kind: kind, peak: 2, warmup: warmup, total: total)
        return steps.map(schedule.rate)
    }

    @Test("a warm-up rises from 0 in equal steps")
    func warmup() {
        #expect(
            rates(.constantWithWarmup, warmup: 4, total: 10, steps: [0, 1, 3, 4, 9])
                == [0, 0.5, 1.5, 2, 2])
        #expect(rates(.constant, warmup: 4, total: 10, steps: [0, 9]) == [2, 2])
        #expect(rates(.constantWithWarmup, warmup: 0, total: 10, steps: [0]) == [2])
    }

    @Test("linear falls to 0 at the end")
    func linear() {
        #expect(
            rates(.linear, warmup: 2, total: 10, steps: [0, 1, 2, 6, 9, 10, 11])
                == [0, 1, 2, 1, 0.25, 0, 0])
    }

    @Test("cosine falls to 0 at the end, by hand-computed values")
    func cosine() {
        let found = rates(.cosine, warmup: 2, total: 8, steps: [1, 2, 4, 5, 8])
        // cos(60 degrees) = 1/2, cos(90 degrees) = 0.
        for (value, expected) in zip(found, [1, 2, 1.5, 1, 0]) {
            #expect(abs(value - expected) < 1e-12)
        }
    }

    @Test("a warm-up below 1 is a fraction of all steps, rounded up")
    func fraction() {
        #expect(
            rates(.constantWithWarmup, warmup: 0.25, total: 10, steps: [0, 1, 2, 3])
                == rates(.constantWithWarmup, warmup: 3, total: 10, steps: [0, 1, 2, 3]))
        #expect(rates(.linear, warmup: 20, total: 10, steps: [5]) == [0.5])
    }
}
