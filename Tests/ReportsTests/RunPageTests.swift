import Storage
import TestSupport
import Testing

@testable import Reports

@Suite("The report of a run")
struct RunPageTests {
    private func step(_ number: Int, loss: Double = 2) -> String {
        """
        {"step": \(number), "epoch": 0.1, "loss": \(loss), "learning_rate": 2e-05, "grad_norm": 0.5, \
        "tokens_per_second": 1000.5, "scored_tokens": 10, "elapsed_seconds": 12.5, \
        "peak_memory_bytes": 51744768}

        """
    }

    @Test("a run of every kind of line becomes a page, hostile texts included")
    func whole() throws {
        let folder = TemporaryFolder()
        let evil = hostileTexts[0]
        let warning = JSONWriter().string([
            "step": 0, "warning": "x", "message": .string(evil),
        ])
        let samples = hostileTexts.enumerated().map { number, text in
            JSONWriter().string([
                "step": .integer(number), "prompt": .string(hostileTexts[number % 3]),
                "answer": .string(text), "base": .bool(number < 3),
            ])
        }
        folder.write(
            #"{"step": 0, "epoch": 0.0, "eval_loss": 3.5}"# + "\n" + warning + "\n" + step(10)
                + step(20, loss: 1.5) + #"{"step": 20, "epoch": 0.5, "eval_loss": 1.25}"# + "\n"
                + #"{"step": 30, "lo"#,
            to: "metrics.jsonl")
        folder.write(samples.joined(separator: "\n"), to: "samples.jsonl")
        folder.write(
            "# mambatreel 0.1.0\nmodel: \"a</script>\"\ntopology: \"tree\"\nlogging_steps: 10\n",
            to: "config.yaml")
        folder.write(
            #"{"run": "1", "command": ["mtl-finetune", "--data", "it's <b>"], "total_steps": 40}"#,
            to: "run.json")
        try Self.trees.write(to: folder.file("trees.json"))
        let html = try RunPage(folder: folder.path).html
        try HTMLCheck.check(html)
        #expect(html.components(separatedBy: "<script").count == 4)
        for text in [
            "3.5 → 1.25", "step 20 of 40, not finished", "mean of the 10 steps before it",
            "1 line of metrics.jsonl could not be read",
            "--data &#39;it&#39;\\&#39;&#39;s &lt;b&gt;&#39;",
            "Base model", "The trees of one sample", "13 s", "49.3 MiB",
        ] {
            #expect(html.contains(text), "\(text)")
        }
        for word in ["NaN", "not a number", "infinite"] { #expect(!html.contains(word), "\(word)") }
    }

    @Test("a run without a line yet, of one step, and without validation has a page")
    func sparse() throws {
        let folder = TemporaryFolder()
        folder.write("", to: "metrics.jsonl")
        let begun = try RunPage(folder: folder.path).html
        try HTMLCheck.check(begun)
        #expect(begun.contains("No step has been logged yet."))
        folder.write(step(1), to: "metrics.jsonl")
        let one = try RunPage(folder: folder.path).html
        try HTMLCheck.check(one)
        #expect(!one.contains("held-out") && one.contains("class=\"dots c1\""))
    }

    @Test("100,000 steps are a page of less than a megabyte")
    func long() throws {
        let folder = TemporaryFolder()
        folder.write(
            (1...100_000).map { step($0, loss: Double($0 % 9)) }.joined(), to: "metrics.jsonl")
        let html = try RunPage(folder: folder.path).html
        #expect(html.utf8.count < 1_000_000, "\(html.utf8.count)")
        #expect(html.contains("100,000 points of training"))
    }

    @Test("sittings of a resumed run add up")
    func sittings() throws {
        let folder = TemporaryFolder()
        folder.write(
            step(1) + step(2) + step(3).replacing("12.5", with: "2.5"), to: "metrics.jsonl")
        #expect(try RunPage(folder: folder.path).html.contains("15 s"))
    }

    @Test("a folder without a run is named")
    func noRun() {
        let folder = TemporaryFolder()
        #expect(throws: ReportError.noRun(folder: folder.path)) {
            try RunPage(folder: folder.path)
        }
        #expect(
            "\(ReportError.noRun(folder: "x"))"
                == "x: holds no metrics.jsonl, expected the folder of a training run, as given to --output-dir"
        )
    }

    /// Two layers over four tokens, read twice.
    static var trees: PromptTrees {
        let chain = PromptTrees.Layer(parents: [1, 2, 3, -1], cosines: [0.1, 0.5, 0.9, 1])
        let jumps = PromptTrees.Layer(parents: [2, 0, 3, -1], cosines: [0.1, 0.5, 0.9, 1])
        return PromptTrees(
            tokens: ["a", " <b>", "\u{202E}", "\n"].enumerated().map {
                .init(id: $0.offset, text: $0.element)
            },
            readings: [
                .init(name: "before", layers: [chain, chain]),
                .init(name: "after", layers: [chain, jumps]),
            ])
    }
}
