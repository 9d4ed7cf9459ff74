import Storage
import TestSupport
import Testing

@Suite("mtl-finetune init, inspect and merge")
struct ModelCommandTests {
    @Test("the same seed gives the same weights, another seed others")
    func initIsDeterministic() throws {
        let workshop = try CommandWorkshop()
        for (output, seed) in [("a", "5"), ("b", "6")] {
            let run = try CommandRun(
                "mtl-finetune",
                [
                    "init", "--config", CommandWorkshop.demo + "/model/config.json", "--seed",
                    seed, "--output", workshop(output),
                ])
            try #require(run.status == 0, "\(run.errors)")
        }
        let name = "model.safetensors"
        #expect(try workshop.bytes("a/\(name)") == workshop.bytes("model/\(name)"))
        #expect(try workshop.bytes("a/\(name)") != workshop.bytes("b/\(name)"))
    }

    @Test("what exists is replaced only if it is the program's own and the user says so")
    func initOverwrites() throws {
        let workshop = try CommandWorkshop()
        func run(_ output: String, _ arguments: String...) throws -> CommandRun {
            try CommandRun(
                "mtl-finetune",
                [
                    "init", "--config", CommandWorkshop.demo + "/model/config.json", "--output",
                    workshop(output),
                ] + arguments)
        }
        #expect(try run("bare").status == 0)
        let again = try run("bare")
        #expect(again.status == 1, "\(again.errors)")
        #expect(
            again.errors.contains("bare: exists already; choose another name or give --overwrite"))
        // The tokenizer was copied there by somebody.
        let foreign = try run("model", "--overwrite")
        #expect(foreign.status == 1)
        #expect(
            foreign.errors.contains("model: holds 'tokenizer.json', which is none of the files"),
            "\(foreign.errors)")
        #expect(try !workshop.bytes("model/tokenizer.json").isEmpty)
        // What belonged to an old model goes with it.
        _ = try workshop.write("{}", to: "bare/mambatreel.json")
        let anew = try run("bare", "--overwrite")
        #expect(anew.status == 0, "\(anew.errors)")
        #expect(throws: (any Error).self) { try workshop.bytes("bare/mambatreel.json") }
    }

    @Test("a merged model never takes the place of what it is made of")
    func mergeIntoInput() throws {
        let workshop = try CommandWorkshop()
        try #require(try workshop.train(to: "adapter").status == 0)
        let before = try workshop.bytes("model/model.safetensors")
        for (output, option) in [("model", "--model"), ("adapter", "--adapter")] {
            let run = try CommandRun(
                "mtl-finetune",
                [
                    "merge", "--model", workshop.model, "--adapter", workshop("adapter"),
                    "--output", workshop(output), "--overwrite",
                ])
            #expect(run.status == 1)
            #expect(run.errors.contains("is what \(option) names"), "\(run.errors)")
        }
        #expect(try workshop.bytes("model/model.safetensors") == before)
    }

    @Test("a shape needs no file, and without one the error says so")
    func shapes() throws {
        let workshop = try CommandWorkshop()
        let run = try CommandRun(
            "mtl-finetune", ["init", "--shape", "tiny", "--output", workshop("tiny")])
        try #require(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("parameters from seed 42"))
        #expect(run.errors.contains("has no tokenizer yet"))
        let without = try CommandRun("mtl-finetune", ["init", "--output", workshop("none")])
        #expect(without.status == 64)
        #expect(
            without.errorLines
                == ["Error: --shape is missing; give it, or --config with a config.json"])
    }

    @Test("models, adapters and data files are told apart")
    func inspect() throws {
        let workshop = try CommandWorkshop()
        try #require(try workshop.train(to: "adapter").status == 0)
        for (path, expected) in [
            (workshop.model, "a Mamba model"), (workshop("adapter"), "a LoRA adapter"),
            (CommandWorkshop.demo + "/train.jsonl", "format alpaca"),
        ] {
            let run = try CommandRun("mtl-finetune", ["inspect", path])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains(expected), "\(run.output)")
        }
        let bad = try workshop.write("{}\n", to: "bad.jsonl")
        #expect(try CommandRun("mtl-finetune", ["inspect", bad]).status == 1)
    }

    @Test("what was trained with a tree is exported only as a chain, and nothing is written over")
    func export() throws {
        let workshop = try CommandWorkshop()
        try #require(try workshop.train(to: "adapter").status == 0)
        func export(_ arguments: String...) throws -> CommandRun {
            try CommandRun(
                "mtl-finetune",
                ["export", workshop.model, "-o", workshop("out.gguf")] + arguments)
        }
        let tree = try export("--adapter", workshop("adapter"))
        #expect(tree.status == 1)
        #expect(tree.errors.contains("adapter: was trained with a tree, expected a chain"))
        let alone = try export(
            "--adapter", workshop("adapter"), "--adapter-only", "--as-chain", "--outtype", "f32")
        #expect(alone.status == 0, "\(alone.errors)")
        #expect(alone.errors.contains("exported with --untie"), "\(alone.errors)")
        #expect(alone.output.contains("26 tensors, 26 in f32"), "\(alone.output)")
        let again = try export()
        #expect(again.status == 1)
        #expect(again.errors.contains("exists already"), "\(again.errors)")
        let anew = try export("--overwrite", "--outtype", "q8_0")
        #expect(anew.status == 0, "\(anew.errors)")
        #expect(anew.output.contains("13 in q8_0"), "\(anew.output)")
        let into = try CommandRun(
            "mtl-finetune",
            ["export", workshop.model, "-o", workshop("model/config.json"), "--overwrite"])
        #expect(into.status == 1)
        #expect(into.errors.contains("is what the model names"), "\(into.errors)")
        let inspected = try CommandRun("mtl-finetune", ["inspect", workshop("out.gguf")])
        #expect(inspected.output.contains("a GGUF file"), "\(inspected.errors)")
    }

    @Test("a merged model does what model and adapter do, its head apart from the embedding")
    func merge() throws {
        let workshop = try CommandWorkshop()
        try #require(try workshop.train(to: "adapter", steps: 12).status == 0)
        let run = try CommandRun(
            "mtl-finetune",
            [
                "merge", "--model", workshop.model, "--adapter", workshop("adapter"), "--output",
                workshop("merged"), "--verify",
            ])
        try #require(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("verified"))
        let configuration = try JSONValue.read(workshop("merged/config.json"))
        #expect(configuration["tie_word_embeddings"] == false)
        #expect(try !workshop.bytes("merged/mambatreel.json").isEmpty)
    }

    // Both wrote the end token for bos and pad, and lost what this program does not know.
    @Test("merging and full fine-tuning keep what config.json says", arguments: ["merge", "full"])
    func configuration(operation: String) throws {
        let workshop = try CommandWorkshop()
        let path = workshop("model/config.json")
        var expected = try #require(JSONValue.read(path).objectValue)
        for (field, value) in [
            ("bos_token_id", 1), ("eos_token_id", [0, 5]), ("pad_token_id", nil),
            ("use_mambapy", true), ("residual_in_fp32", false), ("notes", ["a": 0.5]),
        ] as [(String, JSONValue)] {
            expected[field] = value
        }
        _ = try workshop.write(
            JSONWriter().string(.object(expected)), to: "model/config.json")
        let generation = #"{"eos_token_id": [0, 9], "temperature": 0.7}"#
        _ = try workshop.write(generation, to: "model/generation_config.json")
        if operation == "full" {
            let run = try workshop.train(to: "out", ["--fine-tune-type", "full"], steps: 1)
            try #require(run.status == 0, "\(run.errors)")
        } else {
            let trained = try workshop.train(
                to: "a", ["--lora-target-modules", "dt_proj,in_proj"], steps: 1)
            try #require(trained.status == 0, "\(trained.errors)")
            #expect(trained.errors.contains("the adapter on dt_proj acts here"))
            let run = try CommandRun(
                "mtl-finetune",
                [
                    "merge", "--model", workshop.model, "--adapter", workshop("a"), "--output",
                    workshop("out"),
                ])
            try #require(run.status == 0, "\(run.errors)")
        }
        #expect(try JSONValue.read(workshop("out/config.json")).objectValue == expected)
        #expect(
            try workshop.bytes("out/generation_config.json")
                == workshop.bytes("model/generation_config.json"))
    }
}
