import Foundation
import Glibc
import Storage
import TestSupport
import Testing
import YAML

@testable import Evaluation

@Suite("Names of tasks")
struct TaskIndexTests {
    private let folder: TemporaryFolder

    init() { folder = TemporaryFolder() }

    /// A task that can be read, with more keys.
    private func task(_ name: String, _ more: String = "") -> String {
        "task: \(name)\noutput_type: loglikelihood\ndoc_to_text: a\ndoc_to_target: b\n\(more)"
    }

    private func select(_ names: String...) throws -> TaskSelection {
        try TaskSelection(names, from: try TaskIndex(includePaths: [folder.path]))
    }

    @Test("all that is built in can be read, with the sizes that are known")
    func builtInTasks() throws {
        let index = try TaskIndex()
        #expect(index.warnings.isEmpty)
        #expect(index.sorted(.task).count == 18 + 57)
        #expect(index.sorted(.group).map(\.name).prefix(1) == ["mmlu"])
        #expect(index.entries["ai2_arc"]?.members == ["arc_challenge", "arc_easy"])
        #expect(index.entries["lambada"]?.members == ["lambada_openai", "lambada_standard"])
        let all = try TaskSelection(index.sorted(.task).map(\.name), from: index)
        #expect(all.tasks.count == 75)
        let mmlu = try TaskSelection(["mmlu"], from: index)
        #expect(mmlu.tasks.count == 57)
        #expect(
            mmlu.groups.map(\.name) == [
                "mmlu", "mmlu_stem", "mmlu_other", "mmlu_social_sciences", "mmlu_humanities",
            ])
    }

    @Test("the list of embedded files is that of the folder")
    func embeddedFiles() throws {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../Sources/Evaluation/BuiltInTasks").standardized
        let names = try FileManager.default.contentsOfDirectory(atPath: source.path)
        #expect(names.sorted() == BuiltInTasks.names)
        for name in names {
            let content = try Data(contentsOf: source.appendingPathComponent(name))
            #expect(BuiltInTasks.file(named: name) == Array(content), "\(name)")
        }
    }

    @Test("included files come first, later ones over earlier ones, own keys over all")
    func includesAreMerged() throws {
        folder.write(
            "output_type: loglikelihood\ndoc_to_text: a\ndescription: x\n", below: "_base")
        folder.write("include: ../_base\ndescription: y\ntask_list: []\n", below: "sub/_mid")
        folder.write("include: [_base, sub/_mid]\ntask: t\ndoc_to_target: b\n", below: "t.yaml")
        let task = try #require(try select("t").tasks.first)
        #expect(task.keys["description"] == "y" && task.keys["doc_to_text"] == "a")
        #expect(task.keys["include"] == nil && task.keys["task_list"] == nil)
    }

    @Test("files that include each other are refused when they are asked for, and named")
    func includeCycle() throws {
        folder.write("include: b.yaml\ntask: a\n", below: "a.yaml")
        folder.write("include: a.yaml\ntask: b\n", below: "b.yaml")
        let index = try TaskIndex(includePaths: [folder.path])
        #expect(index.warnings.count == 2)
        #expect {
            try TaskSelection(["a"], from: index)
        } throws: {
            guard case TaskError.unknownNames(["a"], _, let unreadable)? = $0 as? TaskError else {
                return false
            }
            return unreadable.contains { $0.contains("which includes this file") }
        }
    }

    @Test("overrides of a group reach its members, those of a member come last")
    func groupOverrides() throws {
        folder.write(task("u", "tag: [pair]\n"), below: "u.yaml")
        folder.write(task("v", "tag: pair\nnum_fewshot: 1\n"), below: "v.yaml")
        folder.write(
            "group: g\nnum_fewshot: 5\ntask:\n  - {task: u, num_fewshot: 2}\n  - v\n"
                + "  - {group: inner, task: [{task: new, output_type: loglikelihood, "
                + "doc_to_text: a, doc_to_target: b}]}\n", below: "g.yaml")
        let found = try select("g")
        #expect(found.tasks.map(\.name) == ["u", "v", "g::inner::new"])
        #expect(found.tasks.map(\.shots) == [2, 5, 5])
        #expect(found.groups.map(\.name) == ["g", "g::inner"])
        #expect(try select("pair").tasks.map(\.name) == ["u", "v"])
        #expect(try select("u*", "v").tasks.map(\.name) == ["u", "v"])
    }

    @Test("a group within itself and a task named twice are refused")
    func circlesAndDuplicates() throws {
        folder.write("group: g\ntask: [h]\n", below: "g.yaml")
        folder.write("group: h\ntask: [g]\n", below: "h.yaml")
        #expect(throws: TaskError.groupCycle("g")) { try select("g") }
        #expect(throws: TaskError.duplicate(task: "arc_easy", first: "plain", second: "arc_easy")) {
            folder.write("group: plain\ntask: [ai2_arc]\n", below: "plain.yaml")
            _ = try select("plain", "arc_easy")
        }
        #expect(
            throws: TaskError.unknownNames(["piqaa", "nope*"], nearest: "piqa", unreadable: [])
        ) {
            try select("piqa", "piqaa", "nope*")
        }
    }

    @Test("of many files that cannot be read three are named")
    func unreadableFiles() {
        let error = TaskError.unknownNames(
            ["a"], nearest: nil, unreadable: ["1", "2", "3", "4", "5"])
        #expect(
            "\(error)" == "no task, tag or group is named 'a'; list them all with --list-tasks "
                + "(task files that could not be read: 1; 2; 3; and 2 more)")
    }

    @Test("a tag has all its tasks, of several folders, sorted")
    func tags() throws {
        for name in ["b", "c", "a"] {
            folder.write(task(name, "tag: [w, v]\n"), below: "\(name).yaml")
        }
        let other = TemporaryFolder()
        other.write(task("d", "tag: w\n"), to: "d.yaml")
        let index = try TaskIndex(includePaths: [folder.path, other.path])
        #expect(index.entries["w"]?.members == ["a", "b", "c", "d"])
        #expect(index.entries["v"]?.members == ["a", "b", "c"])
    }

    @Test("a user's task replaces a built-in one, with a warning")
    func replacement() throws {
        let path = folder.write(task("piqa"), below: "mine.yaml")
        let index = try TaskIndex(includePaths: [folder.path])
        #expect(index.warnings == ["\(path): 'piqa' replaces that of piqa.yaml"])
        #expect(try TaskSelection(["piqa"], from: index).tasks.first?.outputType == .logLikelihood)
    }

    @Test("a file is a task, too")
    func taskByFile() throws {
        let path = folder.write(task("alone"), below: "x/alone.yaml")
        #expect(try TaskSelection([path], from: try TaskIndex()).tasks.map(\.name) == ["alone"])
    }

    @Test(
        "what a task asks for and is not done is refused, with file and key",
        arguments: [
            ("doc_to_text: !function mine.text", "the Python function 'mine.text'"),
            (
                "process_docs: !function utils.process_docs",
                "the Python function 'utils.process_docs'"
            ),
            ("output_type: magic", "'magic'"), ("repeats: many", "repeats"),
            ("doc_to_image: x", "doc_to_image"),
            ("metric_list: [{metric: bleu}]", "'bleu'"),
            (
                "metric_list: [{metric: acc, aggregation: !function a.b}]",
                "the aggregation 'a.b', which needs Python"
            ),
            ("metric_list: [{aggregation: mean}]", "metric_list.metric' is missing"),
            ("num_fewshot: many", "num_fewshot"), ("num_fewshot: -1", "num_fewshot"),
            ("fewshot_config: {sampler: balanced}", "'balanced'"),
            ("filter_list: [{name: x, filter: [{function: sift}]}]", "'sift'"),
            (
                "filter_list: [{name: x, filter: [{function: regex, regex_pattern: '('}]}]",
                "regex_pattern"
            ),
            ("unsafe_code: true", "--confirm-run-unsafe-code"),
            ("custom_dataset: !function a.b", "the data set 'a.b', which needs Python"),
            ("doc_to_text: '{{ a'", "doc_to_text"), ("description: [1]", "description"),
            ("doc_to_target: null", "doc_to_target' is missing"),
            ("class: !function a.B", "'class'"),
        ])
    func unsupportedKeys(line: String, part: String) throws {
        let path = folder.write(
            "include: _base\ntask: t\n\(line)\n", below: "t.yaml")
        folder.write(
            "output_type: loglikelihood\ndoc_to_text: a\ndoc_to_target: b\n", below: "_base")
        #expect {
            let found = try select("t")
            _ = try found.tasks.map {
                try TaskFields(task: $0, columns: []).text(
                    $0.description, Document(place: "d:1", object: [:]), "description")
            }
        } throws: { "\($0)".contains(part) && ("\($0)".contains(path) || "\($0)".contains("d:1")) }
    }

    @Test(
        "a key that means nothing is refused with file, line and what is spelt like it",
        arguments: [
            ("target_delimeter: x", "target_delimeter", "target_delimiter"),
            ("fewshot_config: {splt: train}", "splt", "split"),
            ("metric_list: [{metric: acc, agregation: mean}]", "agregation", "aggregation"),
            ("filter_list: [{nme: x, filter: []}]", "nme", "name"),
            ("filter_list: [{name: none, filter: [{fnction: take_first}]}]", "fnction", "function"),
            ("dataset_kwargs: {data_file: x}", "data_file", "data_files"),
            ("generation_kwargs: {untill: x}", "untill", "until"),
        ])
    func unknownKeys(line: String, key: String, nearest: String) throws {
        let path = folder.write(task("t", line + "\n"), below: "t.yaml")
        let error = TaskError.unknownKey(file: path, line: 5, key: key, nearest: nearest)
        #expect(throws: error) { try select("t") }
        #expect("\(error)" == "\(path):5: key '\(key)' is not known; did you mean '\(nearest)'?")
        // Not every YAML file beside tasks is one.
        folder.write("services: {web: 1}\n", below: "other.yaml")
        #expect(try TaskIndex(includePaths: [folder.path]).warnings.isEmpty)
    }

    @Test("keys of groups, of their members and of included files are checked, too")
    func unknownKeysOfGroups() throws {
        folder.write(task("t"), below: "t.yaml")
        let base = folder.write("doc_to_txt: a\n", below: "_base")
        folder.write("include: _base\ntask: u\ndoc_to_target: b\n", below: "u.yaml")
        let group = folder.write("group: g\ntask: [{task: t, num_fewshots: 2}]\n", below: "g.yaml")
        let other = folder.write(
            "group: h\ntask: [t]\naggregate_metric_list: [{metric: acc, weight: true}]\n",
            below: "h.yaml")
        #expect(
            throws: TaskError.unknownKey(
                file: base, line: 1, key: "doc_to_txt", nearest: "doc_to_text")
        ) { try select("u") }
        #expect(
            throws: TaskError.unknownKey(
                file: group, line: 2, key: "num_fewshots", nearest: "num_fewshot")
        ) { try select("g") }
        #expect(
            throws: TaskError.unknownKey(
                file: other, line: 3, key: "weight", nearest: "weight_by_size")
        ) { try select("h") }
    }

    @Test("a group without members is an error, not an empty table")
    func groupsWithoutMembers() throws {
        let path = folder.write("group: g\n", below: "g.yaml")
        folder.write("group: h\ntask: []\n", below: "h.yaml")
        #expect(throws: TaskError.missingKey(file: path, key: "task")) { try select("g") }
        #expect(throws: TaskError.self) { try select("h") }
    }

    @Test("includes and groups that multiply are read once each")
    func bombs() throws {
        for level in 0..<12 {
            let names = (0..<10).map { "./\(String(repeating: "./", count: $0))b\(level + 1)" }
            folder.write(
                level < 11 ? "include: [\(names.joined(separator: ","))]\n" : "repeats: 1\n",
                below: "b\(level)")
            let members = Array(repeating: level < 11 ? "g\(level + 1)" : "t", count: 10)
            folder.write(
                "group: g\(level)\ntask: [\(members.joined(separator: ","))]\n",
                below: "g\(level).yaml")
        }
        folder.write(task("t", "include: b0\n"), below: "t.yaml")
        #expect(try select("g0").tasks.map(\.name) == ["t"])
        // The same with members that differ is refused by the number of members.
        for level in 0..<12 {
            let members = (0..<10).map {
                "{task: \(level < 11 ? "g\(level + 1)" : "t"), num_fewshot: \($0)}"
            }
            folder.write(
                "group: g\(level)\ntask: [\(members.joined(separator: ","))]\n",
                below: "g\(level).yaml")
        }
        #expect {
            try select("g0")
        } throws: {
            guard case TaskError.limit(_, "tasks and members of groups", 20_000)? = $0 as? TaskError
            else { return false }
            return true
        }
    }

    @Test("a long chain of includes is refused by its depth")
    func longChain() throws {
        for level in 0..<2000 {
            folder.write("include: c\(level + 1)\n", below: "c\(level)")
        }
        let path = folder.write(task("t", "include: c0\n"), below: "t.yaml")
        #expect(
            throws: TaskError.limit(
                file: path, what: "levels of files that include files", limit: 64)
        ) { try select(path) }
    }

    @Test("includes stay inside the folders that were named, through links, too")
    func includesOutside() throws {
        folder.write("repeats: 1\n", below: "outside")
        let path = folder.write(task("t", "include: ../outside\n"), below: "in/t.yaml")
        let error = TaskError.includeOutside(file: path, included: "../outside")
        #expect(throws: error) { try TaskSelection([path], from: try TaskIndex()) }
        #expect(symlink(folder.file("outside"), folder.file("in/link")) == 0)
        folder.write(task("t", "include: link\n"), below: "in/t.yaml")
        #expect(throws: TaskError.includeOutside(file: path, included: "link")) {
            try TaskSelection([path], from: try TaskIndex())
        }
        let index = try TaskIndex(includePaths: [folder.path])
        #expect(try TaskSelection([path], from: index).tasks.count == 1)
    }

    @Test("functions called utils are told apart by the task, and foreign Python is refused")
    func utilsFunctions() throws {
        let keys =
            "output_type: multiple_choice\ndoc_to_text: query\ndoc_to_choice: choices\n"
            + "doc_to_target: gold\nprocess_docs: !function utils.process_docs\n"
        folder.write("task: scenes\ndataset_path: me/hellaswag\n" + keys, below: "a/s.yaml")
        guard case .native(let own)? = try select("scenes").tasks.first?.processDocuments else {
            Issue.record("the function is not the built-in one")
            return
        }
        #expect(own.home == "hellaswag")
        let python = folder.write("def process_docs(d):\n    return d\n", below: "a/utils.py")
        #expect(
            throws: TaskError.foreignPython(
                file: "\(folder.path)/a/s.yaml", function: "utils.process_docs", python: python)
        ) { try select("scenes") }
    }

    @Test("every cut-off task file is read or refused, and none crashes")
    func cutFilesDoNotCrash() throws {
        for name in BuiltInTasks.names {
            let bytes = try #require(BuiltInTasks.file(named: name))
            for end in stride(from: 0, to: bytes.count, by: 7) {
                guard let node = try? YAMLReader.parse(Array(bytes[..<end]), file: name),
                    let keys = node.value.objectValue
                else { continue }
                _ = try? TaskConfiguration(TaskFile(path: name, source: .builtIn, keys: keys))
            }
        }
    }
}
