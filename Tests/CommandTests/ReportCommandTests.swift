import FoundationEssentials
import Storage
import TestSupport
import Testing

@Suite("Reports and trees")
struct ReportCommandTests {
    private static let tasks = CommandWorkshop.demo + "/tasks"

    private func text(_ workshop: CommandWorkshop, _ name: String) throws -> String {
        String(decoding: try workshop.bytes(name), as: UTF8.self)
    }

    @Test("a run leaves its report, names it, and tells its command without --overwrite")
    func runReport() throws {
        let workshop = try CommandWorkshop()
        let run = try workshop.train(
            to: "out", ["--valid", CommandWorkshop.demo + "/valid.jsonl", "--overwrite"])
        try #require(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("look at it: \(workshop("out"))/report.html"))
        let page = try text(workshop, "out/report.html")
        for part in ["step 4 of 4, finished", "Gradient norm", "The trees of one sample"] {
            #expect(page.contains(part), "\(part)")
        }
        let about = try JSONValue.read(workshop("out/run.json"))
        let command = about["command"]?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(command.starts(with: ["mtl-finetune", "--model"]))
        #expect(!command.contains("--overwrite"))
        let trees = try JSONValue.read(workshop("out/trees.json"))
        #expect(
            trees["readings"]?.arrayValue?.map { $0["name"]?.stringValue } == ["before", "after"])
        // Again, elsewhere: the same page.
        let again = try CommandRun(
            "mtl-finetune", ["report", workshop("out"), "--output", workshop("again.html")])
        #expect(again.status == 0, "\(again.errors)")
        #expect(try workshop.bytes("again.html") == workshop.bytes("out/report.html"))
        let refused = try CommandRun(
            "mtl-finetune", ["report", workshop("out"), "--output", workshop("again.html")])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("--overwrite"))
        let none = try CommandRun("mtl-finetune", ["report", workshop.model])
        #expect(none.errors.contains("holds no metrics.jsonl"), "\(none.errors)")
    }

    @Test("trees of a prompt as a page, as JSON and as a drawing; over data in numbers")
    func trees() throws {
        let workshop = try CommandWorkshop()
        func tree(_ arguments: [String]) throws -> CommandRun {
            try CommandRun("mtl-eval", ["tree", "--model", workshop.model] + arguments)
        }
        for name in ["tree.html", "tree.json", "tree.svg"] {
            let run = try tree([
                "--prompt", "Who </script> is it?", "--layer", "1", "--output", workshop(name),
            ])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output == workshop(name) + "\n")
        }
        #expect(try text(workshop, "tree.html").hasPrefix("<!doctype html>"))
        #expect(try text(workshop, "tree.svg").hasPrefix("<svg"))
        let layers = try JSONValue.read(workshop("tree.json"))["readings"]?.arrayValue?[0]["layers"]
        #expect(layers?.arrayValue?.count == 4)
        let parents = layers?.arrayValue?[0]["parents"]?.arrayValue ?? []
        #expect(parents.last == -1 && parents.count { $0 == -1 } == 1)

        let data = CommandWorkshop.demo + "/test.jsonl"
        let survey = try tree(["--data", data, "--limit", "5", "--output", workshop("all.json")])
        #expect(survey.status == 0, "\(survey.errors)")
        #expect(try JSONValue.read(workshop("all.json"))["survey"]?["prompts"] == 5)

        let cases: [([String], String)] = [
            (["--prompt", "a", "--topology", "chain"], "--topology is chain, expected tree"),
            (["--prompt", "a", "--layer", "9"], "--layer is 9, expected 0 to 3"),
            (["--data", data, "--index", "99999"], "--index is 99999, expected 0 to"),
            ([], "--prompt is missing"),
            (["--prompt", "a", "--compare", "base"], "needs --adapter"),
            (["--data", data, "--format", "svg"], "--format svg needs --prompt or --index"),
        ]
        for (arguments, sentence) in cases {
            let run = try tree(arguments + ["--output", workshop("none.html")])
            #expect(run.status == 64, "\(arguments)")
            #expect(run.errors.contains(sentence), "\(run.errors)")
        }
        let exists = try tree(["--prompt", "a", "--output", workshop("tree.html")])
        #expect(exists.status == 1 && exists.errors.contains("--overwrite"), "\(exists.errors)")
    }

    @Test("an evaluation has a report, never in the place of another file, and two are compared")
    func evaluations() throws {
        let workshop = try CommandWorkshop()
        func evaluate(_ output: String, _ arguments: [String]) throws -> CommandRun {
            try CommandRun(
                "mtl-eval",
                [
                    "--model", workshop.model, "--tasks", "scenes", "--include-path", Self.tasks,
                    "--data-dir", Self.tasks, "--output-path", workshop(output), "--log-samples",
                    "--limit", "20",
                ] + arguments)
        }
        let first = try evaluate("a", ["--topology", "tree"])
        try #require(first.status == 0, "\(first.errors)")
        let path = try #require(
            first.errors.split(separator: "\n").first { $0.hasSuffix("report.html") })
        let page = CommandRun.text(of: String(path.dropFirst("wrote ".count)))
        #expect(page.contains("bars reach one standard error"))
        let second = try evaluate("b", ["--topology", "chain"])
        try #require(second.status == 0)
        let compared = try CommandRun(
            "mtl-eval", ["compare", workshop("a"), workshop("b"), "--report", workshop("c.html")])
        #expect(compared.status == 0, "\(compared.errors)")
        #expect(try text(workshop, "c.html").contains("McNemar"))
        // Somebody else's file of this name stays.
        _ = try workshop.write("mine", to: "other.html")
        let other = try evaluate("other.json", [])
        #expect(other.status == 0)
        #expect(other.errors.contains("is somebody else's"), "\(other.errors)")
        #expect(try text(workshop, "other.html") == "mine")
    }
}
