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
            vocabulary: 257, writer: model.writer, journal: journal
        ) { event in
            if case .progress = event { done += 1 }
            if done >= stopAfter { throw Stop() }
        }
    }

    private func journal(
        _ folder: TemporaryFolder, _ model: String = "a", engine: String = "e",
        resuming: Bool = true
    ) throws -> ScoreJournal {
        try ScoreJournal(
            path: "\(folder.path)/j.jsonl", identity: ["model": .string(model)], engine: engine,
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

    @Test("a run that begins anew takes nothing away from the one before, and says what it knows")
    func nothingIsLost() throws {
        let folder = TemporaryFolder()
        #expect(throws: Stop.self) { try run(try journal(folder), stopAfter: 9) }
        let before = rawContents(folder.file("j.jsonl"))
        let anew = try journal(folder, resuming: false)
        #expect(
            anew.warnings == [
                "\(folder.file("j.jsonl")): holds 9 scores of this very run, which are computed again; "
                    + "--resume takes them"
            ])
        #expect(throws: Stop.self) { try run(anew, stopAfter: 2) }
        #expect(rawContents(folder.file("j.jsonl")).starts(with: before))
        let model = ToyModel()
        _ = try run(try journal(folder), model: model)
        let whole = ToyModel()
        _ = try run(nil, model: whole)
        #expect(model.tokensRead < whole.tokensRead)
    }

    // A flipped bit in a digit of a score was another score.
    @Test("spoilt lines are passed over, counted and scored again; the others are used")
    func spoiltLines() throws {
        let folder = TemporaryFolder()
        let expected = try run(try journal(folder)).tasks.map { $0.samples.map(\.responses) }
        let good = rawContents(folder.file("j.jsonl"))
        let lines = good.split(separator: 0x0A).map { [UInt8]($0) }
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<100 {
            var bytes = good
            let place = Int(generator.next() % UInt64(good.count))
            guard bytes[place] != 0x0A else { continue }
            bytes[place] ^= 1 << UInt8(generator.next() % 8)
            guard bytes[place] != 0x0A else { continue }
            folder.write(bytes, to: "j.jsonl")
            let journal = try journal(folder)
            // What looks like a line of an older version is of another run.
            let number = good[..<place].count { $0 == 0x0A }
            let line = String(decoding: bytes.split(separator: 0x0A)[number], as: UTF8.self)
            let isOld = !line.contains("\"check\":") || !line.contains("\"engine\":")
            #expect(journal.damagedLines == 1 || isOld, "\(line)")
        }
        folder.write(
            [lines[0], lines[1].dropLast(40), [0xFF, 0xFE]].joined(separator: [0x0A]) + [0x0A]
                + lines[2...].joined(separator: [0x0A]), to: "j.jsonl")
        let journal = try journal(folder)
        #expect(journal.damagedLines == 2)
        #expect(journal.warnings.first?.contains("passed over 2 damaged lines") == true)
        let model = ToyModel()
        #expect(
            try run(journal, model: model).tasks.map { $0.samples.map(\.responses) } == expected)
        #expect(model.tokensRead > 0)
    }

    @Test("a file that is something else is left as it is")
    func otherFiles() throws {
        let folder = TemporaryFolder()
        for text in ["{\"instruction\": \"mine\"}\n", "mine", "\u{0}\u{0}"] {
            folder.write(text, to: "j.jsonl")
            for resuming in [true, false] {
                let error = #expect(throws: EvaluationError.self) {
                    try journal(folder, resuming: resuming)
                }
                #expect(error?.description.contains("holds no scores") == true)
            }
            #expect(rawContents(folder.file("j.jsonl")) == Array(text.utf8))
        }
        folder.write("", to: "j.jsonl")
        #expect(try journal(folder).warnings == [])
    }

    @Test("scores of another engine are taken, with a warning")
    func otherEngine() throws {
        let folder = TemporaryFolder()
        _ = try run(try journal(folder))
        let other = try journal(folder, engine: "f")
        let keys = try rawContents(folder.file("j.jsonl")).split(separator: 0x0A).map {
            try #require(JSONValue(parsing: [UInt8]($0), file: "")["tokens"]?.stringValue)
        }
        #expect(
            other.warning(aboutEnginesOf: Array(keys.prefix(3)) + ["unknown"], task: "t")
                == "task 't': 3 of 4 scores were computed by 'e', this is 'f'; the last digits may "
                + "differ, without --resume all are computed again")
        #expect(try journal(folder).warning(aboutEnginesOf: keys, task: "t") == nil)
    }
}
