import Storage
import TestSupport
import Testing

@testable import Evaluation

@Suite("Aggregations and standard errors")
struct AggregationTests {
    /// scikit-learn and NumPy add in another order.
    static let tolerance = 1e-12

    private func expect(_ found: Double?, _ expected: JSONValue?, _ name: Comment) {
        guard let found, let expected = expected?.numberValue else {
            Issue.record(name)
            return
        }
        #expect(abs(found - expected) <= Self.tolerance * abs(expected), name)
    }

    private func values(_ golden: JSONValue, _ key: String) throws -> [MetricValue] {
        try golden.member(key).elements.compactMap { item in
            guard let pair = item.arrayValue else { return item.numberValue.map { .number($0) } }
            return MetricValue(.array(pair))
        }
    }

    @Test("values are the harness's")
    func valuesAreTheHarnesss() throws {
        let golden = try Fixture.json("metrics.json")
        let (logs, hits) = (try values(golden, "logs"), try values(golden, "hits"))
        let (pairs, many) = (try values(golden, "pairs"), try values(golden, "many"))
        let weighted = try values(golden, "weighted")
        #expect(logs.count == 57 && hits.count == 57 && weighted.count == 9 && many.count == 31)
        #expect(try Aggregation(rawValue: "mean")?(hits) == golden["mean"]?.numberValue)
        #expect(try Aggregation.perplexity(logs) == golden["perplexity"]?.numberValue)
        #expect(try Aggregation.median(logs) == golden["median"]?.numberValue)
        expect(try Aggregation.nanmean(logs + [.number(.nan)]), golden["nanmean"], "nanmean")
        expect(
            try Aggregation.weightedPerplexity(weighted), golden["weighted_perplexity"], "weighted")
        expect(try Aggregation.bitsPerByte(weighted), golden["bits_per_byte"], "bits")
        expect(try Aggregation.f1(pairs), golden["f1"], "f1")
        expect(try Aggregation.matthewsCorrelation(many), golden["mcc"], "mcc")
        expect(
            try Aggregation.brierScore(try values(golden, "probabilities")), golden["brier_score"],
            "brier")
    }

    @Test("standard errors are the harness's, whatever the number of threads", arguments: [1, 3])
    func errorsAreTheHarnesss(threads: Int) throws {
        let golden = try Fixture.json("metrics.json")
        for member in try golden.member("stderr").objectValue?.members ?? [] {
            let iterations = try #require(Int(member.key))
            for (name, aggregation, key) in [
                ("perplexity", Aggregation.perplexity, "logs"), ("median", .median, "logs"),
                ("f1", .f1, "pairs"), ("mcc", .matthewsCorrelation, "many"),
            ] {
                let found = try StandardError.of(
                    aggregation, try values(golden, key), iterations: iterations, threads: threads)
                expect(found, member.value[name], "\(name) \(iterations)")
            }
        }
        let hits = try values(golden, "hits")
        expect(
            try StandardError.of(.mean, hits, iterations: 1, threads: 1), golden["mean_stderr"],
            "mean")
        #expect(try StandardError.of(.mean, hits, iterations: 0, threads: 1) == nil)
        #expect(try StandardError.of(.mean, [.number(1)], iterations: 9, threads: 1) == nil)
        #expect(try StandardError.of(.bypass, hits, iterations: 9, threads: 1) == nil)
    }

    @Test("errors of groups are the harness's")
    func groupErrors() throws {
        let group = try Fixture.json("metrics.json").member("group")
        let errors = try group.member("errors").numbers
        expect(
            StandardError.pooled(errors, sizes: try group.member("sizes").integers),
            group["pooled"], "pooled")
        expect(StandardError.ofPlainMean(errors), group["plain"], "plain")
    }

    @Test("f1 refuses three classes, and two without the class 1")
    func f1RefusesOtherClasses() {
        let three: [MetricValue] = [
            .classes(gold: 0, predicted: 1), .classes(gold: 2, predicted: 1),
        ]
        #expect(throws: Aggregation.Failure.classes([0, 1, 2])) { try Aggregation.f1(three) }
        #expect(throws: Aggregation.Failure.classes([0, 2])) {
            try Aggregation.f1([.classes(gold: 0, predicted: 2)])
        }
        #expect(throws: Aggregation.Failure.choices(2, 3)) {
            try Aggregation.brierScore([
                .probabilities(gold: 0, [0.5, 0.5]), .probabilities(gold: 0, [0.5, 0.25, 0.25]),
            ])
        }
        #expect(throws: Aggregation.Failure.empty) { try Aggregation.median([]) }
    }

    @Test("the largest is the first of equals, and what is no number comes before all")
    func indexOfLargest() {
        #expect(DocumentMetrics.indexOfLargest([1, 3, 3]) == 1)
        #expect(DocumentMetrics.indexOfLargest([1, .nan, 3, .nan]) == 1)
        #expect(DocumentMetrics.indexOfLargest([-.infinity, -.infinity]) == 0)
    }
}
