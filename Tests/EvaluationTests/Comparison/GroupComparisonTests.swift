import Testing

@testable import Evaluation

@Suite("Comparing groups of runs")
struct GroupComparisonTests {
    @Test("differences are taken item by item and seed by seed")
    func paired() {
        // Two seeds, four items: by item 1, 0.5, 0, 0; by seed 0.5, 0.25.
        let x = GroupComparison(
            reference: [[0, 0, 1, 0], [0, 0, 1, 1]], [[1, 1, 1, 0], [1, 0, 1, 1]])
        #expect(x.runs == 2 && x.items == 4 && x.mean == 0.75 && x.difference == 0.375)
        // Deviations 0.625, 0.125, -0.375, -0.375 squared: 0.6875 / 3 / 4.
        #expect(abs((x.itemError ?? 0) - (0.6875 / 12).squareRoot()) < 1e-12)
        #expect(abs((x.seedError ?? 0) - 0.125) < 1e-12)
    }

    @Test("one run beside several has the error of the several")
    func unpaired() {
        let x = GroupComparison(reference: [[0], [1], [2]], [[3]])
        #expect(x.difference == 2 && x.itemError == nil)
        #expect(abs((x.seedError ?? 0) - (1.0 / 3).squareRoot()) < 1e-12)
        #expect(GroupComparison(reference: [[0, 1]], [[1, 1]]).seedError == nil)
    }
}
