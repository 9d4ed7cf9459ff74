import Storage
import Testing

@testable import Evaluation

/// Runs over invented documents, against what the real harness wrote for them with the same toy model.
@Suite("Runs as the harness's own")
struct HarnessGoldenTests {
    /// A golden run: its file of fixtures.
    static let runs = ["shots0.json", "shots2.json", "written.json"]

    static func results(
        _ golden: JSONValue, model: ToyModel = ToyModel(),
        options: EvaluationOptions? = nil, journal: ScoreJournal? = nil
    ) throws -> EvaluationResults {
        let names = try golden.member("tasks").elements.compactMap(\.stringValue)
        let index = try TaskIndex(includePaths: [Fixture.path("tasks")])
        #expect(index.unreadable.isEmpty)
        let evaluation = try Evaluation(
            try TaskSelection(names, from: index), data: DataFolders([Fixture.path("data")]),
            options: options ?? Self.options(golden))
        return try evaluation.run(
            on: model, encoder: RequestEncoder(tokenizer: ByteTokenizer(), prefixToken: 0),
            vocabulary: 257,
            writer: model.writer,
            journal: journal)
    }

    static func options(_ golden: JSONValue) -> EvaluationOptions {
        var options = EvaluationOptions()
        options.shots = golden["shots"]?.integerValue
        options.maximumLength = 300
        options.bootstrapIterations = 2000
        options.threads = 2
        return options
    }

    @Test("every line of samples is byte for byte the harness's", arguments: runs)
    func samplesAreEqual(run: String) throws {
        let golden = try Fixture.json(run)
        let results = try Self.results(golden)
        let writer = JSONWriter(escapesNonASCII: false)
        var compared = 0
        for result in results.tasks {
            let expected = try golden.member("samples").member(result.task.name).elements
            let lines = try result.sampleObjects.map { writer.string(.object($0)) }
            try #require(lines.count == expected.count, "\(result.task.name)")
            for (line, expected) in zip(lines, expected) {
                #expect(line == expected.stringValue, "\(result.task.name)")
                compared += 1
            }
        }
        #expect(
            compared
                == golden["samples"]?.objectValue?.members.reduce(0) {
                    $0 + $1.value.elements.count
                })
    }

    @Test("the tables are byte for byte the harness's", arguments: runs)
    func tablesAreEqual(run: String) throws {
        let golden = try Fixture.json(run)
        let table = ResultsTable(try Self.results(golden)).text
        #expect(table == golden["table"]?.stringValue)
    }

    @Test("the results file says what the harness's says", arguments: runs)
    func resultsAreEqual(run: String) throws {
        let golden = try Fixture.json(run)
        let report = try ResultsReport(
            try Self.results(golden), options: Self.options(golden),
            information: RunInformation()
        ).object(includesSamples: true)
        for key in [
            "group_subtasks", "versions", "n-shot", "higher_is_better", "n-samples", "task_hashes",
        ] {
            #expect(report[key] == golden[key], "\(key)")
        }
        for key in ["results", "groups"] {
            let (found, expected) = (report[key]?.objectValue, golden[key]?.objectValue)
            try #require(found?.keys == expected?.keys, "\(key)")
            for (left, right) in zip(found?.members ?? [], expected?.members ?? []) {
                expectSame(left.value, right.value, "\(key) \(left.key)")
            }
        }
    }

    /// Figures may differ in the last digits, where NumPy or scikit-learn add in another order.
    private func expectSame(_ found: JSONValue, _ expected: JSONValue, _ name: String) {
        #expect(found.objectValue?.keys == expected.objectValue?.keys, "\(name)")
        for member in found.objectValue?.members ?? [] {
            let (left, right) = (member.value, expected[member.key])
            if case .number(let number) = left, case .number(let other)? = right {
                #expect(abs(number - other) <= 1e-12 * abs(other), "\(name) \(member.key)")
            } else {
                #expect(left == right, "\(name) \(member.key)")
            }
        }
    }

    @Test("batches, their limits and whole sequences change no result")
    func batchesChangeNothing() throws {
        let golden = try Fixture.json("shots2.json")
        var options = Self.options(golden)
        options.bootstrapIterations = 0
        let expected = try Self.results(golden, options: options).tasks.map {
            $0.samples.map(\.responses)
        }
        for (tokens, canContinue) in [(1, true), (1_000_000, true), (50, false)] {
            let model = ToyModel()
            model.canContinue = canContinue
            options.batchTokens = tokens
            let found = try Self.results(golden, model: model, options: options)
            #expect(found.tasks.map { $0.samples.map(\.responses) } == expected)
        }
    }
}
