import Storage
import TestSupport
import Testing

@testable import Evaluation

/// Examples came without a word from the documents that are scored: of three questions of arc_easy
/// with a test file alone, two were shown with their own answers.
@Suite("Where examples come from")
struct ExampleNoticeTests {
    private static let index = Result { try TaskIndex() }
    private let folder: TemporaryFolder

    init() {
        folder = TemporaryFolder()
        let lines = (0..<4).map {
            #"{"question": "q\#($0)?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "#
                + #""answerKey": "A"}"# + "\n"
        }
        folder.write(lines.joined(), below: "arc_easy/test.jsonl")
    }

    private func prepare(_ task: String, isStrict: Bool = false) throws -> PreparedTask {
        var options = EvaluationOptions()
        (options.shots, options.isStrict) = (2, isStrict)
        let selection = try TaskSelection([task], from: try Self.index.get())
        return try PreparedTask(
            selection.tasks[0], in: DataFolders([folder.path]), options: options)
    }

    @Test("a split without a file is named with the paths looked for, and no document shows itself")
    func missingSplit() throws {
        let prepared = try prepare("arc_easy")
        let notice = try #require(prepared.notice)
        guard case .missingSplit("arc_easy", "train", let paths, nil) = notice else {
            Issue.record("\(notice)")
            return
        }
        #expect(paths.first == "\(folder.path)/arc_easy/train.jsonl")
        #expect(prepared.warnings == ["\(notice)"])
        #expect("\(notice)".contains("drawn from the documents that are scored instead"))
        for item in prepared.items {
            let question = try #require(item.document.object["question"]?.stringValue)
            let parts = item.requests[0].arguments[0].stringValue?.split(separator: question) ?? []
            #expect(parts.count == 2, "the question is there once")
        }
    }

    @Test("documents are read from a part in Parquet as from JSON lines")
    func parquet() throws {
        let lines = try prepare("arc_easy").items
        let other = TemporaryFolder()
        other.makeFolders("arc_easy/data")
        other.write(
            rawContents(Fixture.path("arc-test-00000-of-00001.parquet")),
            to: "arc_easy/data/test-00000-of-00001.parquet")
        var options = EvaluationOptions()
        options.shots = 2
        let selection = try TaskSelection(["arc_easy"], from: try Self.index.get())
        let rows = try PreparedTask(
            selection.tasks[0], in: DataFolders([other.path]), options: options
        ).items
        #expect(rows.map { $0.requests[0].arguments } == lines.map { $0.requests[0].arguments })
        #expect(rows.map(\.document.object) == lines.map(\.document.object))
    }

    @Test("a strict run stops, and another split that is there is named")
    func strictRuns() throws {
        let notice = try #require(try prepare("arc_easy").notice)
        #expect(throws: EvaluationError.examples(notice)) {
            try prepare("arc_easy", isStrict: true)
        }
        let test = try ByteStream.text(of: folder.file("arc_easy/test.jsonl"))
        folder.write(test, below: "arc_easy/validation.jsonl")
        guard case .missingSplit(_, "train", _, "validation")? = try prepare("arc_easy").notice
        else {
            Issue.record("no notice of the split 'validation'")
            return
        }
        folder.write(test, below: "arc_easy/train.jsonl")
        #expect(try prepare("arc_easy", isStrict: true).notice == nil)
    }

    @Test("a lone word that is no column is an error, a column of nulls too")
    func columns() throws {
        let head = "output_type: loglikelihood\ntest_split: test\n"
        let path = folder.write(
            head + "task: word\ndoc_to_text: passsage\ndoc_to_target: ' x'\n", below: "word.yaml")
        folder.write(
            #"{"other": 1}"# + "\n" + #"{"passage": "p"}"# + "\n", below: "word/test.jsonl")
        func prepare(_ path: String) throws -> PreparedTask {
            try PreparedTask(
                try TaskSelection([path], from: try Self.index.get()).tasks[0],
                in: DataFolders([folder.path]), options: EvaluationOptions())
        }
        let data = folder.file("word/test.jsonl")
        #expect(
            throws: EvaluationError.noColumn(
                place: "\(data):1", task: "word", field: "doc_to_text", column: "passsage",
                nearest: "passage")
        ) { try prepare(path) }
        folder.write(
            head + "task: word\ndoc_to_text: passage\ndoc_to_target: ' x'\n", below: "word.yaml")
        #expect(
            throws: EvaluationError.value(
                place: "\(data):1", task: "word", field: "doc_to_text",
                found: "column 'passage', which is null here", expected: "a value")
        ) { try prepare(path) }
    }
}
