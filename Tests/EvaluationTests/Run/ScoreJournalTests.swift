import Storage
import TestSupport
import Testing

@testable import Evaluation

@Suite("Journal of scores")
struct ScoreJournalTests {
    private struct Stop: Error {}

    private func run(
        _ journal: ScoreJournal?, stopAfter: Int = .max, model: ToyModel = ToyModel()
    ) throws -> EvaluationResults {
        let index = try TaskIndex(includePaths: [Fixture.path("tasks")])
        var options = EvaluationOptions()
        (options.maximumLength, options.bootstrapIterations) = (300, 0)
        let evaluation = try Evaluation(
            try TaskSelection(["arc_easy", "winogrande", "wikitext"], from: index),
            data: DataFolders([Fixture.path("data")]), options: options)
        var done = 0
        return try evaluation.run(
            on: model, encoder: RequestEncoder(tokenizer: ByteTokenizer(), prefixToken: 0),
            vocabulary: 257, journal: journal
        ) { event in
            if case .progress = event { done += 1 }
            if done >= stopAfter { throw Stop() }
        }
    }

    private func journal(
        _ folder: TemporaryFolder, _ model: String = "a", resuming: Bool = true
    ) throws -> ScoreJournal {
        try ScoreJournal(
            path: "\(folder.path)/j.jsonl", fingerprint: ["model": .string(model)],
            resuming: resuming)
    }

    @Test("a run that was stopped goes on where it was and comes to the same results")
    func stoppedRunGoesOn() throws {
        let folder = TemporaryFolder()
        let expected = try run(nil).tasks.map { $0.samples.map(\.responses) }
        #expect(throws: Stop.self) { try run(try journal(folder), stopAfter: 9) }
        // As if the tenth line had been cut off by a crash.
        let text = String(decoding: rawContents(folder.file("j.jsonl")), as: UTF8.self)
        #expect(text.split(separator: "\n").count == 9)
        folder.write(text + "{\"task\": \"arc_", below: "j.jsonl")
        let resumed = try journal(folder)
        #expect(resumed.damagedLines == 1)
        #expect(try run(resumed).tasks.map { $0.samples.map(\.responses) } == expected)
        let again = ToyModel()
        #expect(
            try run(try journal(folder), model: again).tasks.map { $0.samples.map(\.responses) }
                == expected)
        #expect(again.tokensRead == 0)
    }

    @Test("scores of another model are not used, nor any where a run begins anew")
    func otherScoresAreNotUsed() throws {
        let folder = TemporaryFolder()
        _ = try run(try journal(folder))
        let other = ToyModel()
        _ = try run(try journal(folder, "b"), model: other)
        #expect(other.tokensRead > 0)
        let anew = ToyModel()
        _ = try run(try journal(folder, resuming: false), model: anew)
        #expect(anew.tokensRead == other.tokensRead)
    }
}
