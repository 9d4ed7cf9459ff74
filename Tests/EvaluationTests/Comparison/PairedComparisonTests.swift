import TestSupport
import Testing

@testable import Evaluation

@Suite("Paired comparison")
struct PairedComparisonTests {
    @Test(
        "p-values are those of the exact binomial test",
        // SciPy 1.16: binomtest(a, a + b).pvalue
        arguments: [
            (0, 0, 1.0), (0, 1, 1.0), (5, 0, 0.0625), (1, 9, 0.021484375), (7, 7, 1.0),
            (40, 60, 0.05688793364098089), (300, 200, 8.940066542253288e-06),
        ])
    func pValues(a: Int, b: Int, expected: Double) {
        #expect(abs(PairedComparison.mcNemar(a, b) - expected) <= 1e-11 * expected)
        #expect(PairedComparison.mcNemar(b, a) == PairedComparison.mcNemar(a, b))
    }

    @Test("many documents do not underflow")
    func manyDocuments() {
        let value = PairedComparison.mcNemar(100_000, 100_300)
        #expect(value > 0.4 && value < 0.6)
    }

    @Test("difference and its error come from the documents on which runs differ")
    func difference() {
        let found = PairedComparison(
            task: "t", metric: "acc", [1, 0, 1, 1, 0, 1], [1, 1, 1, 0, 1, 1])
        #expect(found.onlyFirst == 1 && found.onlySecond == 2)
        #expect(abs(found.difference - 1.0 / 6) < 1e-15)
        // Differences 0, 1, 0, -1, 1, 0: variance (3 - 6/36)/5.
        let error = ((3 - 1.0 / 6) / 5 / 6).squareRoot()
        #expect(abs((found.error ?? 0) - error) < 1e-15)
        #expect(found.pValue == 1)
        let numbers = PairedComparison(task: "t", metric: "perplexity", [-1.5, -2], [-1, -2])
        #expect(numbers.pValue == nil && numbers.onlyFirst == nil)
    }

    @Test("two folders of samples are compared document by document")
    func folders() throws {
        let (first, second) = (TemporaryFolder(), TemporaryFolder())
        func line(_ id: Int, _ acc: Double, _ hash: String = "h") -> String {
            "{\"doc_id\": \(id), \"doc_hash\": \"\(hash)\(id)\", \"metrics\": [\"acc\"], "
                + "\"acc\": \(acc)}\n"
        }
        first.write(line(0, 0), below: "samples_my_task_2026-01-01T00-00-00.1.jsonl")
        first.write(
            line(0, 1) + line(1, 1) + line(2, 0),
            below: "samples_my_task_2026-01-02T00-00-00.1.jsonl")
        second.write(
            line(1, 0) + line(2, 0), below: "samples_my_task_2026-01-01T00-00-00.1.jsonl")
        let found = try PairedComparison.compare(first.path, second.path)
        #expect(found == [PairedComparison(task: "my_task", metric: "acc", [1, 0], [0, 0])])
        second.write(
            line(1, 0, "other"), below: "samples_my_task_2026-01-03T00-00-00.1.jsonl")
        #expect(throws: EvaluationError.self) {
            try PairedComparison.compare(first.path, second.path)
        }
    }
}
