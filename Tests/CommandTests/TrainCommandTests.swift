import Glibc
import Storage
import Tensors
import TestSupport
import Testing

@Suite("mtl-finetune train")
struct TrainCommandTests {
    @Test("a run leaves every file of the contract, and no other")
    func outputFolder() throws {
        let workshop = try CommandWorkshop()
        let run = try workshop.train(
            to: "out", ["--valid", CommandWorkshop.demo + "/valid.jsonl"])
        try #require(run.status == 0, "\(run.errors)")
        for name in [
            "adapter_config.json", "adapter_model.safetensors", "mambatreel.json", "config.yaml",
            "metrics.jsonl", "trainer_state.json", "checkpoint-4/adapter_model.safetensors",
        ] {
            #expect(try !workshop.bytes("out/\(name)").isEmpty)
        }
        let records = try JSONRecords(path: workshop("out/metrics.jsonl")).all().map(\.object)
        let steps = records.filter { $0["loss"] != nil }
        #expect(steps.map { $0["step"]?.integerValue } == [1, 2, 3, 4])
        #expect(steps.allSatisfy { ($0["tokens_per_second"]?.numberValue ?? 0) > 0 })
        #expect(records.contains { $0["eval_loss"] != nil })
    }

    @Test("the same seed gives the same bytes for any number of threads")
    func bitEqual() throws {
        let workshop = try CommandWorkshop()
        for (output, threads) in [("a", "1"), ("b", "3")] {
            let run = try workshop.train(to: output, ["--threads", threads])
            try #require(run.status == 0, "\(run.errors)")
        }
        let name = "adapter_model.safetensors"
        #expect(try workshop.bytes("a/\(name)") == workshop.bytes("b/\(name)"))
        let other = try workshop.train(to: "c", ["--seed", "43"])
        try #require(other.status == 0)
        #expect(try workshop.bytes("a/\(name)") != workshop.bytes("c/\(name)"))
    }

    @Test("the configuration written beside the result repeats the run")
    func configurationRepeats() throws {
        let workshop = try CommandWorkshop()
        let first = try workshop.train(
            to: "a", ["--lora_r", "4", "--no-shuffle", "--tree_neighbors=2"])
        try #require(first.status == 0, "\(first.errors)")
        let second = try CommandRun(
            "mtl-finetune",
            ["--config", workshop("a/config.yaml"), "--output-dir", workshop("b")])
        try #require(second.status == 0, "\(second.errors)")
        let name = "adapter_model.safetensors"
        #expect(try workshop.bytes("a/\(name)") == workshop.bytes("b/\(name)"))
    }

    @Test("Ctrl-C saves, exits with 130, and the resumed run equals an unbroken one")
    func interruption() throws {
        let workshop = try CommandWorkshop()
        let arguments = ["--save-steps", "3", "--save-total-limit", "0"]
        let broken = try workshop.train(
            to: "broken", arguments, steps: 60,
            interrupting: "broken/checkpoint-3/trainer_state.json")
        #expect(broken.status == 130, "\(broken.errors)")
        #expect(broken.errors.contains("stopping after this step; again to stop at once"))
        let resumed = try workshop.train(to: "broken", arguments + ["--resume"], steps: 60)
        try #require(resumed.status == 0, "\(resumed.errors)")
        let whole = try workshop.train(to: "whole", arguments, steps: 60)
        try #require(whole.status == 0)
        let name = "adapter_model.safetensors"
        #expect(try workshop.bytes("broken/\(name)") == workshop.bytes("whole/\(name)"))
    }

    @Test("a closed terminal saves like Ctrl-C")
    func hangUp() throws {
        let workshop = try CommandWorkshop()
        let run = try workshop.train(
            to: "out", ["--save-steps", "1000"], steps: 4000, interrupting: "out/run.json",
            signal: SIGHUP)
        #expect(run.status == 129, "\(run.errors)")
        #expect(run.errors.contains("go on with the same command and --resume"))
        #expect(!run.errors.contains("again to stop"))
    }

    @Test(
        "a second run is refused, replaced or told to be finished, and config.yaml stays of one run"
    )
    func secondRun() throws {
        let workshop = try CommandWorkshop()
        try #require(try workshop.train(to: "out").status == 0)
        let settings = try workshop.bytes("out/config.yaml")
        let weights = try workshop.bytes("out/adapter_model.safetensors")
        let again = try workshop.train(to: "out", ["--lora-alpha", "160"])
        #expect(again.status == 1)
        #expect(
            again.errors.contains(
                "out: exists already; go on with --resume, begin anew with --overwrite, or choose "
                    + "another --output-dir"))
        let other = try workshop.train(to: "out", ["--lora-alpha", "160", "--resume"])
        #expect(other.status == 1 && other.errors.contains("setting 'lora_alpha' was 16.0"))
        #expect(try workshop.bytes("out/config.yaml") == settings)
        #expect(try workshop.bytes("out/adapter_model.safetensors") == weights)
        let finished = try workshop.train(to: "out", ["--resume"])
        #expect(finished.status == 0, "\(finished.errors)")
        #expect(finished.output.contains("had reached its end, step 4; raise --max-steps"))
        let anew = try workshop.train(to: "out", ["--overwrite"], steps: 2)
        #expect(anew.status == 0, "\(anew.errors)")
        let rows = try JSONRecords(path: workshop("out/metrics.jsonl")).all().map(\.object)
        #expect(rows.filter { $0["loss"] != nil }.count == 2)
    }

    @Test("prompts are answered while it trains, and the best checkpoint is the result")
    func samplesAndBest() throws {
        let workshop = try CommandWorkshop()
        let prompts = try workshop.write("Say a.\n", to: "prompts.txt")
        let run = try workshop.train(
            to: "out",
            [
                "--valid", CommandWorkshop.demo + "/valid.jsonl", "--steps-per-eval", "2",
                "--sample-prompts", prompts, "--sample-tokens", "4", "--save-best",
            ])
        try #require(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("base model: 'Say a.' is answered '"))
        #expect(run.errors.contains("step 4: 'Say a.' is answered '"))
        #expect(run.errors.contains("the weights in it are those of step 4, whose held-out loss"))
        let rows = try JSONRecords(path: workshop("out/samples.jsonl")).all().map(\.object)
        #expect(rows.map { $0["step"] } == [0, 2, 4])
        let settings = String(decoding: try workshop.bytes("out/config.yaml"), as: UTF8.self)
        #expect(settings.contains("save_best: true") && settings.contains("sample_prompts: "))
        let refused = try workshop.train(to: "other", ["--save-best"])
        #expect(
            refused.status == 1 && refused.errors.contains("--save-best needs held-out records"))
        let away = try workshop.train(to: "other", ["--sample-prompts", "none.txt"])
        #expect(away.status == 1 && away.errors.contains("none.txt: "))
    }

    @Test("no output is an input, not even with --overwrite")
    func outputIsInput() throws {
        let workshop = try CommandWorkshop()
        let before = try workshop.bytes("model/model.safetensors")
        for (output, arguments, expected) in [
            ("model", ["--fine-tune-type", "full", "--overwrite"], "model: is what --model names"),
            ("model", [], "model: is what --model names"),
            ("model/out", [], "which --model names"),
        ] {
            let run = try workshop.train(to: output, arguments)
            #expect(run.status == 1 && run.errors.contains(expected), "\(run.errors)")
        }
        #expect(try workshop.bytes("model/model.safetensors") == before)
    }

    @Test("a run does not go on with another base model")
    func otherBase() throws {
        let workshop = try CommandWorkshop()
        try #require(try workshop.train(to: "out").status == 0)
        let other = try CommandRun(
            "mtl-finetune",
            [
                "init", "--config", CommandWorkshop.demo + "/model/config.json", "--seed", "6",
                "--output", workshop("other"),
            ])
        try #require(other.status == 0, "\(other.errors)")
        for name in ["tokenizer.json", "tokenizer_config.json"] {
            _ = try workshop.write(
                String(decoding: workshop.bytes("model/\(name)"), as: UTF8.self),
                to: "other/\(name)")
        }
        let run = try workshop.train(
            to: "out", ["--resume", "--model", workshop("other")], steps: 8)
        #expect(run.status == 1)
        #expect(
            run.errors.contains("the weights of --model, or of --init-adapter, are not those"),
            "\(run.errors)")
    }

    @Test("a dry run shows records and tensors, and writes nothing")
    func dryRun() throws {
        let workshop = try CommandWorkshop()
        let run = try workshop.train(to: "out", ["--dry-run"])
        try #require(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("### Instruction:"))
        // One row a kind: 146 rows of tensors pushed the records off the screen.
        let rows = run.output.split(separator: "\n").filter {
            $0.hasPrefix("layers.*.mixer.in_proj ")
        }
        #expect(
            rows == ["layers.*.mixer.in_proj   8 tensors  [8, 128] [512, 8]   20480 values"])
        #expect(run.output.contains("trainable values"))
        #expect(throws: (any Error).self) { try workshop.bytes("out/config.yaml") }
    }

    @Test("with --json a dry run prints one object and nothing else")
    func dryRunJSON() throws {
        let workshop = try CommandWorkshop()
        let run = try workshop.train(to: "out", ["--dry-run", "--json"])
        try #require(run.status == 0, "\(run.errors)")
        let object = try JSONValue(parsing: run.output, file: "output")
        #expect(object["event"] == "dry_run" && object["total_steps"] == 4)
        #expect(object["warnings"]?.arrayValue?.first?["code"] == "endless_warmup")
        #expect(object["samples"]?.arrayValue?.count == 3)
        let tensors = object["tensors"]?.arrayValue ?? []
        #expect(tensors.contains { $0["name"] == "layers.*.mixer.in_proj" && $0["count"] == 8 })
        #expect((object["memory_bytes"]?["total"]?.integerValue ?? 0) > 0)
    }

    @Test("frozen weights may be kept in bfloat16, and the adapter then serves in any type")
    func bfloat16() throws {
        let workshop = try CommandWorkshop()
        let run = try workshop.train(to: "out", ["--dtype", "bfloat16"])
        try #require(run.status == 0, "\(run.errors)")
        let isMultiplied = makeEngine(threads: 1).multipliesInBFloat16
        #expect(run.errors.contains("kept in bfloat16") != isMultiplied)
        #expect(
            String(decoding: try workshop.bytes("out/config.yaml"), as: UTF8.self)
                .contains("dtype: \"bfloat16\""))
        let exact = try workshop.train(to: "exact")
        try #require(exact.status == 0)
        // Rounding weights to 8 bits shifts the loss of a step by less than this: see docs/correctness.md.
        let tolerance = 0.02
        func losses(_ name: String) throws -> [Double] {
            try JSONRecords(path: workshop("\(name)/metrics.jsonl")).all()
                .compactMap { $0.object["loss"]?.numberValue }
        }
        let (rounded, whole) = (try losses("out"), try losses("exact"))
        #expect(rounded.count == whole.count && rounded != whole)
        for (loss, expected) in zip(rounded, whole) {
            #expect(abs(loss - expected) < tolerance * expected, "\(loss), expected \(expected)")
        }
        for type in ["float32", "bfloat16", "int8"] {
            let chat = try CommandRun(
                "mtl-chat",
                [
                    "--model", workshop.model, "--adapter", workshop("out"), "--dtype", type,
                    "--prompt", "Say a.", "--max-tokens", "4",
                ])
            #expect(chat.status == 0, "\(chat.errors)")
        }
    }

    @Test("types that a command cannot use are refused, and it says which it can")
    func refusedTypes() throws {
        for (arguments, reason) in [
            (["--dtype", "int8"], "expected float32 or bfloat16"),
            (["--dtype", "bfloat16", "--fine-tune-type", "full"], "expected float32 with"),
            (["--dtype", "float16"], "float32"),
        ] {
            let run = try CommandRun(
                "mtl-finetune", ["--model", "m", "--data", "d"] + arguments)
            #expect(run.status == 64)
            #expect(run.errors.contains(reason), "\(run.errors)")
        }
        let merge = try CommandRun(
            "mtl-finetune",
            [
                "merge", "--model", "m", "--adapter", "a", "--output", "o", "--dtype", "bfloat16",
            ])
        #expect(merge.status == 64 && merge.errors.contains("expected float32"))
    }

    @Test("full fine-tuning leaves a model that can be trained again")
    func fullFineTuning() throws {
        let workshop = try CommandWorkshop()
        let full = try workshop.train(to: "full", ["--fine-tune-type", "full"])
        try #require(full.status == 0, "\(full.errors)")
        let again = try workshop.train(to: "again", ["--model", workshop("full")])
        try #require(again.status == 0, "\(again.errors)")
        func losses(_ name: String) throws -> [JSONValue] {
            try JSONRecords(path: workshop("\(name)/metrics.jsonl")).all()
                .compactMap { $0.object["loss"] }
        }
        let (first, start) = (try losses("again").first, try losses("full").first)
        #expect((first?.numberValue ?? 99) < (start?.numberValue ?? 0))
    }
}
