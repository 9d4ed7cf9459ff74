import Storage
import TestSupport
import Testing

@testable import Evaluation

/// Only where there is a Python to run; nothing else needs it.
@Suite("Python functions of tasks", .enabled(if: FilePath.isFile("/usr/bin/python3")))
struct PythonRunnerTests {
    private let folder = TemporaryFolder()

    private func function(
        _ code: String, name: String = "utils.f", seconds: Int = 60
    ) throws -> PythonFunction {
        folder.write(code, to: "utils.py")
        var limits = PythonRunner.Limits()
        limits.time = .seconds(seconds)
        let runner = PythonRunner(interpreter: "/usr/bin/python3", limits: limits)
        return try PythonFunction(name, namedIn: folder.file("t.yaml"), runner)
    }

    @Test("values come back as they are, tuples and keys that are no text marked")
    func valuesComeBack() throws {
        let f = try function("def f(x, y=0):\n    print('noise')\n    return (x, {1: {y}}, None)\n")
        let value = try f.ask("call", [["a": [1, 2.5]]], keywords: ["y": "é"])
        #expect(value == ["!tuple": [["a": [1, 2.5]], ["!dict": [[1, ["!set": ["é"]]]]], nil]])
        #expect(value.withoutPythonMarks == [["a": [1, 2.5]], ["1": ["é"]], nil])
    }

    @Test("documents are mapped and filtered without the library 'datasets'")
    func documentsAreProcessed() throws {
        let f = try function(
            "def f(docs):\n    kept = docs.filter(lambda d: d['n'] > 1)\n"
                + "    return kept.map(lambda d: {'m': d['n'] * 2}, remove_columns=['n'])\n")
        let made = try TaskFunction.python(f)(
            preparing: (0..<4).map { Document(place: "d:\($0)", object: ["n": .integer($0)]) })
        #expect(made.map(\.object) == [["m": 4], ["m": 6]])
    }

    @Test("an error names the function, the file and the line")
    func errorsHavePlaces() throws {
        let f = try function("def g():\n    return {}['x']\n\ndef f():\n    return g()\n")
        #expect {
            try f.ask()
        } throws: {
            "\($0)".hasSuffix("utils.py:5: Python function 'utils.f' raised KeyError: 'x'")
                || "\($0)".hasSuffix("utils.py:2: Python function 'utils.f' raised KeyError: 'x'")
        }
        #expect(throws: (any Error).self) { try self.function("def f(:\n") }
        #expect(throws: (any Error).self) { try self.function("x = 1\n") }
    }

    @Test("a child that ends or hangs is one sentence, then and later")
    func deathIsAnError() throws {
        let dead = try function("import os\ndef f():\n    os._exit(7)\n")
        let died = PythonError.died(
            interpreter: "/usr/bin/python3", function: "utils.f", status: 7)
        #expect(throws: died) { try dead.ask() }
        #expect(throws: died) { try dead.ask() }
        let hung = try function("def f():\n    while True: pass\n", seconds: 2)
        #expect(throws: PythonError.timeout(function: "utils.f", seconds: 2)) { try hung.ask() }
        let none = PythonRunner(interpreter: folder.file("no-python"))
        #expect(throws: PythonError.start(interpreter: folder.file("no-python"), code: 2)) {
            try PythonFunction("utils.f", namedIn: self.folder.file("t.yaml"), none)
        }
    }

    @Test("a task with Python functions is read with --python alone")
    func taskNeedsPython() throws {
        folder.write(
            """
            task: t
            output_type: multiple_choice
            test_split: test
            dataset_kwargs: {data_files: {test: \(folder.file("d.jsonl"))}}
            process_docs: !function utils.docs
            doc_to_text: !function utils.text
            doc_to_choice: [a, b]
            doc_to_target: gold
            process_results: !function utils.results
            metric_list: [{metric: own, aggregation: !function utils.total}]

            """, to: "t.yaml")
        folder.write("{\"q\": \"x\"}\n{\"q\": \"y\"}\n", to: "d.jsonl")
        folder.write(
            """
            def docs(d):
                return d.map(lambda x: {'gold': 1})
            def text(doc):
                return doc['q'] + '?'
            def results(doc, results):
                lls, greedy = zip(*results)
                return {'own': (doc['q'], len(lls)), 'other': 1}
            def total(items):
                names, counts = zip(*items)
                return sum(counts) / 8

            """, to: "utils.py")
        let index = try TaskIndex()
        let path = folder.file("t.yaml")
        #expect(throws: TaskError.self) { try TaskSelection([path], from: index) }
        var settings = TaskSettings()
        settings.python = PythonRunner(interpreter: "/usr/bin/python3")
        let model = ToyModel()
        let results = try Evaluation(
            try TaskSelection([path], from: index, settings), data: DataFolders([]),
            options: EvaluationOptions()
        ).run(
            on: model, encoder: RequestEncoder(tokenizer: ByteTokenizer(), prefixToken: 0),
            vocabulary: 257, writer: model.writer)
        let task = try #require(results.tasks.first)
        #expect(task.prepared.items[1].requests[0].arguments.first == "y?")
        #expect(task.figures.map(\.metric.name.rawValue) == ["own", "other"])
        #expect(task.figures.map(\.value) == [0.5, 1])
        #expect(try task.sampleObjects[0]["own"] == ["x", 2])
    }

    @Test(
        "members of a group that is named by path stand beside it, and the last of equal keys counts"
    )
    func neighboursAndTwins() throws {
        folder.write(
            "task: near\noutput_type: loglikelihood\ndoc_to_text: a\ndoc_to_target: b\n"
                + "doc_to_text: c\n", to: "near.yaml")
        let group = folder.write("group: ours\ntask: [near]\n", to: "ours.yaml")
        let selection = try TaskSelection([group], from: try TaskIndex())
        #expect(selection.tasks.map(\.name) == ["near"])
        #expect(selection.tasks.first?.keys["doc_to_text"] == "c")
        #expect(selection.warnings.count == 1)
        #expect(selection.warnings.first?.contains("near.yaml:5: key 'doc_to_text'") == true)
    }
}
