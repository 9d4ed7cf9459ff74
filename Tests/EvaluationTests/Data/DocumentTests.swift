import Storage
import TestSupport
import Testing

@testable import Evaluation

@Suite("Documents")
struct DocumentTests {
    private static let index = Result { try TaskIndex() }
    private let folder: TemporaryFolder

    init() { folder = TemporaryFolder() }

    private func prepare(
        _ task: String, _ options: EvaluationOptions = EvaluationOptions()
    ) throws -> PreparedTask {
        let selection = try TaskSelection([task], from: try Self.index.get())
        return try PreparedTask(
            selection.tasks[0], in: DataFolders([folder.path]), options: options)
    }

    @Test("a missing file names every path that was looked for")
    func missingFile() throws {
        #expect(
            throws: EvaluationError.noData(
                task: "sst", split: "validation",
                lookedFor: [
                    "sst/validation.jsonl", "sst/validation.jsonl.zst", "sst2/validation.jsonl",
                    "sst2/validation.jsonl.zst", "nyu-mll/glue/sst2/validation.jsonl",
                    "nyu-mll/glue/sst2/validation.jsonl.zst", "nyu-mll/glue/validation.jsonl",
                    "nyu-mll/glue/validation.jsonl.zst",
                ].map { "\(folder.path)/\($0)" })
        ) { try prepare("sst") }
    }

    @Test("files are found by the data set's name, compressed or not")
    func filesByDataSet() throws {
        folder.write(
            "{\"sentence\": \"a\", \"label\": 0}\n", below: "nyu-mll/glue/sst2/validation.jsonl")
        #expect(try prepare("sst2").items.count == 1)
        folder.write("", below: "piqa/unused")
        try AtomicFile.write(
            to: "\(folder.path)/piqa/validation.jsonl.zst", compression: .zstd(level: 3)
        ) {
            for number in 0..<3 {
                try $0.write(
                    "{\"goal\": \"\(number)\", \"sol1\": \"a\", \"sol2\": \"b\", \"label\": 0}\n")
            }
        }
        #expect(try prepare("piqa").items.count == 3)
    }

    @Test(
        "what is wrong with a document is said with its line",
        arguments: [
            (
                "arc_easy", "test",
                #"{"question": "q", "choices": {"text": [], "label": []}, "answerKey": "A"}"#
            ),
            (
                "arc_easy", "test",
                #"{"question": "q", "choices": {"text": ["a"], "label": ["A"]}, "answerKey": "B"}"#
            ),
            (
                "arc_easy", "test",
                #"{"question": "q", "choices": {"text": [1], "label": ["A"]}, "answerKey": "A"}"#
            ),
            ("arc_easy", "test", #"{"question": "q", "choices": 3, "answerKey": "A"}"#),
            ("arc_easy", "test", #"{"question": "q"}"#), ("arc_easy", "test", #"{"question": "#),
            ("arc_easy", "test", "[1]"),
            ("piqa", "validation", #"{"goal": "g", "sol1": "a", "sol2": "b", "label": null}"#),
            ("piqa", "validation", #"{"goal": "g", "sol1": "a", "sol2": "b", "label": 0.5}"#),
            (
                "winogrande", "validation",
                #"{"sentence": "no gap", "option1": "a", "option2": "b", "answer": "1"}"#
            ),
            (
                "winogrande", "validation",
                #"{"sentence": "a _", "option1": "a", "option2": "b", "answer": "3"}"#
            ),
            (
                "winogrande", "validation",
                #"{"sentence": 5, "option1": "a", "option2": "b", "answer": "1"}"#
            ),
            ("race", "test", #"{"article": "a", "problems": "[{'question': 'q'"}"#),
            ("race", "test", #"{"article": "a", "problems": "[]"}"#),
            (
                "race", "test",
                #"{"article": "a", "problems": "[{'question': 'q', 'options': ['a'], 'answer': 'A'}]"}"#
            ),
            (
                "race", "test",
                #"{"article": "a", "problems": "[{'question': 'q', 'options': ['a','b','c','d'], 'answer': 'E'}]"}"#
            ),
            (
                "copa", "validation",
                #"{"premise": "p", "choice1": "", "choice2": "b", "question": "cause", "label": 0}"#
            ),
            (
                "copa", "validation",
                #"{"premise": "p", "choice1": "a", "choice2": "b", "question": "why", "label": 0}"#
            ),
            (
                "hellaswag", "validation",
                #"{"activity_label": "a", "ctx_a": "b", "ctx_b": "c", "endings": ["d"], "label": ""}"#
            ),
            (
                "wsc273", "test",
                #"{"text": "a b", "pronoun": "b", "pronoun_loc": 9223372036854775807, "options": ["A", "B"], "label": 0}"#
            ),
            (
                "wsc273", "test",
                #"{"text": "a b", "pronoun": "b", "pronoun_loc": -9223372036854775808, "options": ["A", "B"], "label": 0}"#
            ),
            (
                "wsc273", "test",
                #"{"text": "a b", "pronoun": "b", "pronoun_loc": 2, "options": ["A", " "], "label": 0}"#
            ),
            (
                "wsc", "validation",
                #"{"text": "a", "span1_text": "a", "span2_text": "b", "span2_index": "1", "label": 0}"#
            ),
            ("mmlu_anatomy", "test", #"{"question": "q", "choices": ["a", "b"], "answer": 0}"#),
            ("lambada_openai", "test", #"{"text": 5}"#), ("wikitext", "test", #"{"page": ["a"]}"#),
        ])
    func badDocuments(task: String, split: String, line: String) throws {
        let path = folder.write("\(line)\n", below: "\(task)/\(split).jsonl")
        #expect { try prepare(task) } throws: { "\($0)".hasPrefix("\(path):1") }
    }

    @Test("a right answer that is none of the choices counts as wrong, with a warning")
    func goldOutOfRange() throws {
        let path = folder.write(
            #"{"goal": "g", "sol1": "a", "sol2": "b", "label": 7}"# + "\n",
            below: "piqa/validation.jsonl")
        let prepared = try prepare("piqa")
        #expect(prepared.items[0].gold == .one(-100))
        #expect(
            prepared.warnings == [
                "\(path):1: right answer of task 'piqa' is none of the 2 choices; "
                    + "the document counts as wrong"
            ])
    }

    @Test("every cut-off line is refused with its place or read, and none crashes")
    func cutLines() throws {
        for task in [
            "arc_easy", "winogrande", "race", "hellaswag", "wsc", "wsc273", "mmlu_anatomy",
        ] {
            let split = ["winogrande", "hellaswag", "wsc"].contains(task) ? "validation" : "test"
            let whole = try ByteStream.contents(of: Fixture.path("data/\(task)/\(split).jsonl"))
            let line = String(decoding: whole.prefix { $0 != 10 }, as: UTF8.self)
            for end in stride(from: 1, to: line.unicodeScalars.count - 1, by: 37) {
                folder.write(line.slice(0, end) + "\n", below: "\(task)/\(split).jsonl")
                #expect(throws: JSONError.self) { try prepare(task) }
            }
            // Every field left out, and of every wrong kind.
            let object = try #require(try JSONValue(parsing: line, file: "x").objectValue)
            for member in object.members {
                for value in [nil, 1, "", "x", [], [:], true, 1.5] as [JSONValue?] {
                    var changed = object
                    changed[member.key] = value
                    let text = JSONWriter().string(.object(changed))
                    folder.write(text + "\n", below: "\(task)/\(split).jsonl")
                    do { _ = try prepare(task) } catch {
                        #expect("\(error)".contains("\(split).jsonl:1"), "\(error)")
                    }
                }
            }
        }
    }

    @Test("limits are whole numbers or fractions rounded up, samples keep their numbers")
    func limits() throws {
        folder.write(
            (0..<7).map { "{\"sentence\": \"\($0)\", \"label\": 0}\n" }.joined(),
            below: "sst2/validation.jsonl")
        func ids(_ change: (inout EvaluationOptions) -> Void) throws -> [Int] {
            var options = EvaluationOptions()
            change(&options)
            return try prepare("sst2", options).items.map(\.id)
        }
        #expect(try ids { $0.limit = 0.3 } == [0, 1, 2])
        #expect(try ids { $0.limit = 2.9 } == [0, 1])
        #expect(try ids { $0.limit = 1e300 }.count == 7)
        #expect(try ids { $0.samples = ["sst2": [5, 1, 5]] } == [1, 5])
        #expect(throws: EvaluationError.limit(0)) { try ids { $0.limit = 0 } }
        #expect(throws: EvaluationError.sample(task: "sst2", index: 7, documents: 7)) {
            try ids { $0.samples = ["sst2": [7]] }
        }
        #expect(throws: EvaluationError.fewExamples(task: "sst2", found: 7, expected: 8)) {
            try ids { $0.shots = 7 }
        }
    }
}
