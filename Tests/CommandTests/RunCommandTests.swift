import FoundationEssentials
import Storage
import TestSupport
import Testing

@Suite("mtl-eval run and compare")
struct RunCommandTests {
    /// Invented items, in the folder of the evaluation's own tests.
    private static let data =
        Fixtures.path("").replacing("CommandTests", with: "EvaluationTests")
        + "data"

    private func evaluate(
        _ workshop: CommandWorkshop, to output: String, _ arguments: [String] = []
    ) throws -> CommandRun {
        try CommandRun(
            "mtl-eval",
            [
                "--model", workshop.model, "--tasks", "arc_easy,piqa,winogrande,wikitext",
                "--data-dir", Self.data, "--max-length", "128", "--bootstrap-iters", "100",
                "--output-path", workshop(output), "--log-samples",
            ] + arguments)
    }

    private func file(_ prefix: String, in folder: String) throws -> String {
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
        return "\(folder)/" + (try #require(names.last { $0.contains(prefix) }))
    }

    @Test("a run prints the table and writes results, samples and scores")
    func outputs() throws {
        let workshop = try CommandWorkshop()
        let run = try evaluate(workshop, to: "run", ["--topology", "tree"])
        try #require(run.status == 0, "\(run.errors)")
        for word in ["|arc_easy", "|piqa", "acc_norm", "word_perplexity"] {
            #expect(run.output.contains(word), "\(run.output)")
        }
        let results = try JSONValue.read(try file("results_", in: workshop("run")))
        #expect(results["results"]?["piqa"]?["acc,none"] != nil)
        #expect(results["config"]?["model_args"]?["topology"] == "tree")
        let samples = try JSONRecords(path: try file("samples_piqa", in: workshop("run"))).all()
        #expect(samples.allSatisfy { $0.object["doc_hash"] != nil })
    }

    @Test("a batch size changes no score, and --resume scores nothing twice")
    func resume() throws {
        let workshop = try CommandWorkshop()
        let first = try evaluate(workshop, to: "run", ["--batch-size", "1"])
        try #require(first.status == 0, "\(first.errors)")
        let scores = rawContents(try file("scores.jsonl", in: workshop("run")))
        let again = try evaluate(workshop, to: "run", ["--resume"])
        try #require(again.status == 0, "\(again.errors)")
        #expect(again.errors.contains("known already"))
        #expect(rawContents(try file("scores.jsonl", in: workshop("run"))) == scores)
        func table(_ run: CommandRun) -> [Substring] {
            run.output.split(separator: "\n").filter { $0.hasPrefix("|") }
        }
        #expect(table(again) == table(first))
        let whole = try evaluate(workshop, to: "other", ["--batch-size", "64", "--threads", "3"])
        #expect(table(whole) == table(first))
    }

    // The sums of squares by which models were told apart kept every score of an adapter whose scale had changed.
    @Test("a score is taken only where adapter and scale are the same; other kernels are told")
    func resumeWithAnotherScale() throws {
        let workshop = try CommandWorkshop()
        try #require(try workshop.train(to: "adapter").status == 0)
        func run(_ arguments: [String] = []) throws -> (errors: String, lines: Int) {
            let run = try evaluate(
                workshop, to: "run",
                ["--adapter", workshop("adapter")] + arguments)
            try #require(run.status == 0, "\(run.errors)")
            let scores = rawContents(try file("scores.jsonl", in: workshop("run")))
            return (run.errors, scores.count { $0 == 0x0A })
        }
        let first = try run()
        #expect(try run(["--resume"]).lines == first.lines)
        let path = workshop("adapter") + "/adapter_config.json"
        let text = String(decoding: rawContents(path), as: UTF8.self)
        let changed = text.replacing(/"lora_alpha": [0-9.]+/, with: "\"lora_alpha\": 160")
        #expect(changed != text)
        _ = try workshop.write(changed, to: "adapter/adapter_config.json")
        #expect(try run(["--resume"]).lines == 2 * first.lines)
        let other = try run(["--resume", "--scan-kernel", "blas"])
        #expect(other.lines == 2 * first.lines)
        #expect(other.errors.contains("blas scan'; the last digits may differ"), "\(other.errors)")
        let again = try run()
        #expect(again.errors.contains("of this very run, which are computed again"))
        #expect(again.lines == 3 * first.lines)
    }

    @Test("two runs are compared item by item")
    func compare() throws {
        let workshop = try CommandWorkshop()
        try #require(try evaluate(workshop, to: "a").status == 0)
        try #require(try evaluate(workshop, to: "b", ["--topology", "tree"]).status == 0)
        func folder(_ name: String) throws -> String {
            let path = try file("results_", in: workshop(name))
            return path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
                .joined(separator: "/")
        }
        let run = try CommandRun("mtl-eval", ["compare", try folder("a"), try folder("b")])
        try #require(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("|piqa"))
        #expect(run.output.contains("Difference"))
        // What --output-path was given is enough; it was "has no samples_*.jsonl; run with --log-samples".
        let above = try CommandRun("mtl-eval", ["compare", workshop("a"), workshop("b")])
        #expect(above.status == 0 && above.output == run.output, "\(above.errors)")
    }

    @Test("the list of tasks needs no model; an unknown task and missing data are named")
    func refusals() throws {
        let list = try CommandRun("mtl-eval", ["--list-tasks"])
        #expect(list.status == 0)
        #expect(list.output.contains("lambada_openai"))
        let workshop = try CommandWorkshop()
        for (arguments, expected) in [
            (["--tasks", "nonsense"], "nonsense"),
            (["--tasks", "piqa", "--data-dir", "/nowhere"], "/nowhere/piqa/validation.jsonl"),
        ] {
            let run = try CommandRun("mtl-eval", ["--model", workshop.model] + arguments)
            #expect(run.status == 1)
            #expect(run.errors.contains(expected), "\(run.errors)")
        }
        #expect(try CommandRun("mtl-eval", ["--tasks", "piqa"]).status == 64)
    }
}
