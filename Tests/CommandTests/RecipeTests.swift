import FoundationEssentials
import Storage
import TestSupport
import Testing

@testable import mtl_finetune

@Suite("Recipes and sweeps")
struct RecipeTests {
    private let folder = CommandWorkshop.demo + "/../../recipes"

    private func dryRun(_ arguments: [String]) throws -> CommandRun {
        let workshop = try CommandWorkshop()
        return try CommandRun(
            "mtl-finetune",
            [
                "--model", workshop.model, "--data", CommandWorkshop.demo + "/train.jsonl",
                "--dry-run", "--json",
            ] + arguments)
    }

    @Test("what is built in is what the folder holds, each with a sentence, and listed")
    func folderAndList() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let all = Recipes.runs.merging(Recipes.sweeps) { first, _ in first }
        #expect(Set(names) == Set(all.keys.map { "\($0).yaml" }))
        let list = try CommandRun("mtl-finetune", ["recipes"])
        #expect(list.status == 0 && list.output.split(separator: "\n").count == all.count)
        for (name, text) in all {
            #expect(text == rawContents("\(folder)/\(name).yaml"))
            let sentence = Recipes.sentence(of: text)
            #expect(sentence.hasSuffix(".") && list.output.contains("\(name)  "), "\(name)")
            #expect(list.output.contains(sentence))
        }
        let one = try CommandRun("mtl-finetune", ["recipes", "quick-300"])
        #expect(Array(one.output.utf8) == Recipes.runs["quick-300"])
        for (name, text) in Recipes.sweeps { _ = try SweepPlan(text, file: name) }
    }

    @Test("every recipe is one that a run takes", arguments: Recipes.runs.keys.sorted())
    func everyRecipe(name: String) throws {
        let run = try dryRun(["--recipe", name])
        #expect(run.status == 0, "\(run.errors)")
    }

    @Test("flags win over the file, the file over recipes, and of those the last")
    func precedence() throws {
        let workshop = try CommandWorkshop()
        let file = try workshop.write("num_train_epochs: 2\nrecipe: quick-300\n", to: "run.yaml")
        func steps(_ arguments: [String]) throws -> Int? {
            let run = try dryRun(arguments)
            try #require(run.status == 0, "\(run.errors)")
            return try JSONValue(parsing: run.output, file: "output")["total_steps"]?.integerValue
        }
        // 400 records: 360 in steps of 8, five times; all in steps of 16, three times.
        #expect(try steps(["--recipe", "quick-300"]) == 225)
        #expect(try steps(["--recipe=quick-300", "--recipe", "mamba-lora"]) == 69)
        #expect(try steps(["--recipe", "quick-300", "--batch_size", "360"]) == 5)
        #expect(try steps(["--config", file]) == 90)
        #expect(try steps(["--config", file, "--num-train-epochs", "1"]) == 45)
    }

    @Test("an unknown recipe is refused with the nearest name")
    func unknown() throws {
        let run = try dryRun(["--recipe", "quick-30"])
        #expect(run.status == 64)
        #expect(
            run.errors.contains(
                "--recipe is 'quick-30', expected one of alpaca-130m, chain-gain-1.3, mamba-lora, "
                    + "quick-300, tree-scale-0; did you mean 'quick-300'?"), "\(run.errors)")
    }

    @Test("a sweep trains and scores every member once, and its controls are what theory says")
    func sweep() throws {
        let workshop = try CommandWorkshop()
        let (demo, output) = (CommandWorkshop.demo, workshop("out"))
        func file(_ steps: Int) throws -> String {
            try workshop.write(
                """
                # A sweep.
                training:
                  model: \(demo)/model
                  data: \(demo)/train.jsonl
                  valid: \(demo)/valid.jsonl
                  max_steps: \(steps)
                  batch_size: 4
                  learning_rate: 1e-3
                  warmup_steps: 0
                  save_steps: 1
                evaluation: {tasks: scenes, include_path: \(demo)/tasks, data_dir: \(demo)/tasks, limit: 6}
                seeds: [1, 2]
                reference: lora
                members:
                  base: {train: false, topology: chain}
                  lora: {topology: chain}
                  tree-scale-0: {topology: tree, tree_scale: 0}
                  tree: {topology: tree}
                """, to: "sweep.yaml")
        }
        func run(_ steps: Int = 2) throws -> CommandRun {
            try CommandRun("mtl-finetune", ["sweep", file(steps), "--output-dir", output])
        }
        let first = try run()
        try #require(first.status == 0, "\(first.errors)")
        #expect(first.errors.contains("7 of 7: tree, seed 2"))
        #expect(first.output.contains("|scenes       |acc      |tree-scale-0|   2|"))
        #expect(first.errors.contains("look at it: \(output)/report.html"))
        let page = String(decoding: try workshop.bytes("out/report.html"), as: UTF8.self)
        for part in [
            "Differences from lora", "On \(demo)/valid.jsonl", "tree_scale 0",
            "href=\"tree/seed-2/train/report.html\"", "--output-dir \(output)",
        ] {
            #expect(page.contains(part), "\(part)")
        }
        for path in page.split(separator: "href=\"").dropFirst().map({ $0.prefix { $0 != "\"" } }) {
            #expect(FileManager.default.fileExists(atPath: "\(output)/\(path)"), "\(path)")
        }
        let member = String(
            decoding: try workshop.bytes("out/tree/seed-2/train/report.html"), as: UTF8.self)
        #expect(member.contains("<title>tree, seed 2</title>"))
        let rows = try JSONValue.read(output + "/sweep.json")["rows"]?.arrayValue ?? []
        let control = try #require(rows.first { $0["member"] == "tree-scale-0" })
        #expect(control["difference"] == 0.0 && control["item_error"] == 0.0)
        #expect(control["seed_error"] == 0.0 && control["items"] == 6)
        // A tree that counts for nothing is plain LoRA, but for rounding; one that counts is not.
        let losses = rows.filter { $0["task"] == "held-out loss" }
        func lossDifference(_ member: String) -> Double {
            abs(losses.first { $0["member"] == .string(member) }?["difference"]?.numberValue ?? 9)
        }
        #expect(losses.count == 3)
        #expect(lossDifference("tree-scale-0") < 1e-5 && lossDifference("tree") > 1e-4)

        // What is finished is not run again; what was cut off goes on.
        _ = try workshop.write("{}", to: "out/tree/seed-2/member.json")
        let marker = String(
            decoding: try workshop.bytes("out/tree/seed-1/member.json"), as: UTF8.self)
        _ = try workshop.write(
            marker.replacing("seed-1", with: "seed-2")
                .replacing("seed=1", with: "seed=2")
                .replacing("\"done\": true", with: "\"done\": false"),
            to: "out/tree/seed-2/member.json")
        let second = try run()
        #expect(second.status == 0, "\(second.errors)")
        #expect(second.output == first.output)
        #expect(second.errors.contains("6 of 7: tree, seed 1 is finished already"))
        #expect(second.errors.contains("--resume"))
        let changed = try run(3)
        #expect(changed.status == 1 && changed.errors.contains("was made with other settings"))
    }

    @Test("what is wrong with a sweep is named with its line")
    func refusals() throws {
        let start = "training: {model: m, data: d}\nevaluation: {tasks: t}\nreference: a\n"
        for (text, expected) in [
            (
                start + "memers: {}",
                ":4: key 'memers' is unknown in a sweep; did you mean 'members'?"
            ),
            (
                start + "members: {a: {}}",
                ":4: key 'members' is not right, expected a mapping of at"
            ),
            (start + "members: {a: {}, b: {learn_rate: 1}}", "'learn_rate' is no flag"),
            (start + "members: {a: {}, ../b: {}}", "expected a name of letters"),
            (start + "seeds: [1, 1]\nmembers: {a: {}, b: {}}", "expected a list of whole numbers"),
            ("members: {a: {}, b: {}}", "key 'evaluation' is missing"),
        ] {
            let error = #expect(throws: (any Error).self) {
                _ = try SweepPlan(Array(text.utf8), file: "s.yaml")
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains(expected), "\(text)")
        }
    }
}
