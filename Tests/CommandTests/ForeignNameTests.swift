import ArgumentParser
import FoundationEssentials
import TestSupport
import Testing
import YAML

@testable import CommandSupport
@testable import mtl_chat
@testable import mtl_eval
@testable import mtl_finetune

@Suite("Names of other programs")
struct ForeignNameTests {
    /// A name in a command.
    struct Line: Sendable, CustomTestStringConvertible {
        let name: String
        let command: ForeignName.Command
        let meaning: ForeignName.Meaning

        var testDescription: String { "\(command.rawValue) \(name)" }
        /// As it is typed.
        var option: String { name.hasPrefix("-") ? name : "--" + name }

        static let all = ForeignName.all.flatMap { line in
            line.commands.flatMap { command in
                line.names.map { Line(name: $0, command: command, meaning: line.meaning) }
            }
        }

        func words(_ typed: [String]) throws -> CommandArguments {
            let subcommand = command.rawValue.split(separator: " ").dropFirst().map(String.init)
            switch command {
            case .train, .merge:
                return try CommandArguments(subcommand + typed, of: MTLFinetune.self)
            case .evaluate: return try CommandArguments(subcommand + typed, of: MTLEval.self)
            case .chat: return try CommandArguments(typed, of: MTLChat.self)
            }
        }

        /// The command's own options.
        var own: CommandWords? { Self.options[command] }

        private static let options = Dictionary(
            uniqueKeysWithValues: ForeignName.Command.allCases.compactMap { command in
                let words = command.rawValue.split(separator: " ").map(String.init)
                let rest = Array(words.dropFirst())
                let options =
                    switch words[0] {
                    case "mtl-finetune": CommandWords(MTLFinetune.self, arguments: rest)
                    case "mtl-eval": CommandWords(MTLEval.self, arguments: rest)
                    default: CommandWords(MTLChat.self, arguments: rest)
                    }
                return options.map { (command, $0) }
            })

        /// What a file of this key holds.
        func file(_ value: String) throws -> ConfigurationFile {
            let text = Array("\(name): \(value)\n".utf8)
            return try ConfigurationFile(
                YAMLReader.parse(text, file: "a.yaml"), file: "a.yaml", words: own)
        }
    }

    @Test("each line of the table does what it says, typed and in a file", arguments: Line.all)
    func everyLine(_ line: Line) throws {
        let own = try #require(line.own)
        // A name of ours is in the table for its values alone.
        let ours = own.option(CommandArguments.kebabCased(line.option))
        let isKey = !line.name.hasPrefix("-") && line.command != .merge
        switch line.meaning {
        case .same(let option, let values):
            #expect(ours == nil || !values.isEmpty)
            #expect(own.option(option) != nil, "\(option) is no option")
            guard line.name != "model_args", option != "--config" else { return }
            for (theirs, expected) in values.merging(["7": "7"], uniquingKeysWith: { $1 }) {
                let typed = try line.words([line.option, theirs])
                #expect(Array(typed.words.suffix(2)) == [option, expected])
                #expect(typed.leftOut.isEmpty)
                #expect(try line.words(["\(line.option)=-7"]).words.last == "\(option)=-7")
                guard isKey else { continue }
                let value = theirs == "7" ? "7" : "\"\(theirs)\""
                #expect(try line.file(value).flags.last?.arguments.last == "\(option)=\(expected)")
            }
            #expect(
                try line.words([line.option, "7"]).spelled("\(option) is 7")
                    == (ours == nil ? "\(line.option) is 7" : "\(option) is 7"))
        case .flag(let flag):
            #expect(ours == nil && own.option(flag)?.kind == .flag)
            #expect(try line.words([line.option]).words.last == flag)
            #expect(try line.words([line.option, "True"]).words.last == flag)
            #expect(try line.words([line.option, "False"]).words.contains(flag) == false)
            #expect(throws: ForeignNameError.self) { try line.words(["\(line.option)=x/y"]) }
            if isKey { #expect(try line.file("true").flags.last?.arguments == [flag]) }
        case .only(let accepted, let sentence):
            #expect(ours == nil)
            for value in accepted {
                let read = try line.words(["\(line.option)=\(value)"])
                #expect(!read.words.contains { $0.hasPrefix("-") } && read.leftOut.isEmpty)
                if isKey { _ = try line.file(value == "none" ? "\"none\"" : value) }
            }
            let error = #expect(throws: ForeignNameError.self) {
                _ = try line.words(["\(line.option)=other"])
            }
            #expect("\(try #require(error))".hasSuffix("; " + sentence))
            #expect("\(try #require(error))".hasPrefix("\(line.option) is 'other', expected "))
            checkOptions(in: sentence, own)
        case .unneeded(let takesValue):
            #expect(ours == nil)
            let read = try line.words([line.option] + (takesValue ? ["7"] : []))
            #expect(read.leftOut == [line.option] && !read.words.contains("7"))
            if isKey { #expect(try line.file("{a: [1]}").leftOut == [line.name]) }
        case .instead(let difference, let remedy):
            #expect(ours == nil)
            let error = #expect(throws: ForeignNameError.self) {
                _ = try line.words([line.option, "7"])
            }
            #expect(
                "\(try #require(error))" == "\(line.option) \(difference); write \(remedy)")
            checkOptions(in: remedy, own)
            guard isKey else { return }
            let fault = #expect(throws: ConfigurationFileError.self) { _ = try line.file("7") }
            let text = "\(try #require(fault))"
            #expect(text.contains("a.yaml:1: key '\(line.name)' \(difference)"), "\(text)")
            #expect(!text.contains("--"), "\(text)")
        }
    }

    /// Options that a sentence names are there; those of another command are named with it.
    private func checkOptions(in sentence: String, _ own: CommandWords) {
        for match in sentence.matches(of: /--[a-z][a-z0-9-]*/) {
            let option = String(match.output)
            let isOwn = own.option(option) != nil
            #expect(isOwn || option == "--model_args", "\(option) is no option of \(own.name)")
        }
    }

    @Test("no name has two meanings in a command")
    func unique() {
        let names = Line.all.map(\.testDescription)
        let twice = Dictionary(grouping: names, by: \.self).filter { $0.value.count > 1 }.keys
        #expect(twice.isEmpty, "\(twice.sorted())")
    }

    @Test("docs/names.md holds the table; MTL_UPDATE_DOCS=1 writes it")
    func page() throws {
        let path = CommandWorkshop.demo + "/../../docs/names.md"
        let text = CommandRun.text(of: path)
        let marker = "<!-- made from the table by ForeignNameTests -->\n"
        let parts = text.components(separatedBy: marker)
        try #require(parts.count == 2)
        let expected = parts[0] + marker + Self.tables
        if ProcessInfo.processInfo.environment["MTL_UPDATE_DOCS"] != nil {
            try Data(expected.utf8).write(to: URL(filePath: path))
        } else {
            #expect(text == expected, "set MTL_UPDATE_DOCS=1 and run this test to write the page")
        }
    }

    private static var tables: String {
        ForeignName.groups.map { group in
            let rows = group.lines.map { line in
                let names = line.names.map { "`\($0)`" }.joined(separator: ", ")
                let commands = line.commands.map { $0.rawValue.split(separator: "-")[1] }
                    .joined(separator: ", ")
                return "| \(names) | \(line.tools) | \(commands) | \(text(of: line.meaning)) |"
            }
            return "\n## \(group.title)\n\n| There | Of | Command | Here |\n|---|---|---|---|\n"
                + rows.joined(separator: "\n") + "\n"
        }.joined()
    }

    private static func text(of meaning: ForeignName.Meaning) -> String {
        switch meaning {
        case .same(let option, let values):
            "`\(option)`"
                + values.sorted { $0.key < $1.key }.map { "; `\($0.key)` is `\($0.value)`" }
                .joined()
        case .flag(let flag): "`\(flag)`"
        case .only(let accepted, let sentence):
            accepted.map { "`\($0)`" }.joined(separator: " or ") + " alone: \(sentence)"
        case .unneeded: "left out"
        case .instead(let difference, let remedy):
            "refused, since it \(difference): write \(remedy)"
        }
    }

    @Test("configurations of other programs are read, or every key that differs is named")
    func files() throws {
        let workshop = try CommandWorkshop()
        let (model, data) = (workshop.model, CommandWorkshop.demo + "/train.jsonl")
        func run(_ text: String) throws -> CommandRun {
            try CommandRun(
                "mtl-finetune", [workshop.write(text, to: "theirs.yaml"), "--dry-run", "--json"])
        }
        let axolotl = try run(
            """
            base_model: \(model)
            load_in_4bit: false
            datasets:
              - path: \(data)
            val_set_size: 0.1
            adapter: lora
            lora_r: 16
            lora_alpha: 32
            lora_target_modules: [in_proj, out_proj]
            sequence_len: 256
            micro_batch_size: 4
            gradient_accumulation_steps: 2
            num_epochs: 2
            optimizer: adamw_torch
            lr_scheduler: cosine
            learning_rate: 0.0002
            warmup_ratio: 0.1
            bf16: auto
            tf32: false
            gradient_checkpointing: true
            flash_attention: true
            special_tokens:
            """)
        #expect(axolotl.status == 0, "\(axolotl.errors)")
        #expect(
            axolotl.errors.contains(
                "left out, since they change no result here: tf32, gradient_checkpointing, "
                    + "flash_attention"))
        let mlx = try run(
            """
            model: \(model)
            train: true
            data: \(data)
            fine_tune_type: lora
            mask_prompt: true
            num_layers: 16
            batch_size: 4
            iters: 1000
            learning_rate: 1e-5
            steps_per_report: 10
            save_every: 100
            max_seq_length: 256
            grad_checkpoint: false
            lora_parameters:
              rank: 8
              dropout: 0.0
              scale: 20.0
              alpha: 3
            """)
        #expect(mlx.status == 64)
        for part in [
            "theirs.yaml:6: key 'num_layers' is '16', expected -1; adapters are in all layers",
            "theirs.yaml:8: key 'iters' counts batches; write max_steps, that number divided by "
                + "gradient_accumulation_steps",
            "theirs.yaml:17: key 'lora_parameters.scale' is alpha divided by the rank; write "
                + "lora_alpha, that number times lora_r",
            "theirs.yaml:18: key 'lora_parameters.alpha' is no flag of this command",
        ] {
            #expect(mlx.errors.contains("Error: ") && mlx.errors.contains(part), "\(mlx.errors)")
        }
        let llama = try run(
            """
            model_name_or_path: \(model)
            stage: sft
            do_train: true
            finetuning_type: lora
            lora_rank: 8
            lora_target: all
            dataset: \(data)
            cutoff_len: 256
            overwrite_cache: true
            preprocessing_num_workers: 16
            output_dir: \(workshop("out"))
            logging_steps: 10
            save_steps: 500
            plot_loss: true
            overwrite_output_dir: true
            report_to: none
            per_device_train_batch_size: 1
            gradient_accumulation_steps: 8
            learning_rate: 1.0e-4
            num_train_epochs: 3.0
            lr_scheduler_type: cosine
            warmup_ratio: 0.1
            bf16: true
            resume_from_checkpoint: null
            """)
        #expect(llama.status == 64)
        #expect(
            llama.errors.contains(
                "theirs.yaml:23: key 'bf16' is 'true', expected false or auto; write dtype bfloat16"
            ),
            "\(llama.errors)")
        let torchtune = try run(
            """
            model:
              _component_: torchtune.models.llama3_2.lora_llama3_2_1b
              lora_attn_modules: [in_proj, out_proj]
              lora_rank: 8
              lora_alpha: 16
              lora_dropout: 0.0
            tokenizer:
              path: x
              max_seq_len: 256
            checkpointer:
              checkpoint_dir: \(model)
            dataset: {source: \(data), packed: false}
            optimizer: {_component_: torch.optim.AdamW, lr: 3e-4, weight_decay: 0.01}
            epochs: 1
            batch_size: 4
            clip_grad_norm: null
            device: cpu
            dtype: fp32
            """)
        #expect(torchtune.status == 0, "\(torchtune.errors)")
    }

    @Test("lines typed for other programs run")
    func typed() throws {
        let workshop = try CommandWorkshop()
        let (model, demo) = (workshop.model, CommandWorkshop.demo)
        let runs: [(String, [String])] = [
            ("mtl-chat", [model, "Hi", "-n", "4", "--temperature", "0"]),
            ("mtl-chat", ["run", model, "Hi", "--num_predict", "4", "-ngl", "99"]),
            ("mtl-chat", ["-m", model, "-p", "Hi", "-n", "4", "-t", "1", "-c", "512"]),
            (
                "mtl-eval",
                [
                    "--model", "hf", "--model_args", "pretrained=\(model),dtype=float32", "--tasks",
                    "scenes", "--include_path", demo + "/tasks", "--data-dir", demo + "/tasks",
                    "-L",
                    "5", "--device", "cpu", "--trust_remote_code",
                ]
            ),
            (
                "mtl-finetune",
                [
                    "sft", "--model_name_or_path", model, "--train_file", demo + "/train.jsonl",
                    "--lr", "1e-3", "--epochs", "1", "--per_device_train_batch_size", "4",
                    "--use_peft", "--lora_r", "4", "--bf16", "False", "--dry-run",
                ]
            ),
        ]
        for (program, words) in runs {
            let run = try CommandRun(program, words)
            #expect(run.status == 0, "\(words): \(run.errors)")
        }
        // As a file, with its arguments as a mapping and as a text.
        for arguments in [
            "{pretrained: \(model), dtype: float32, trust_remote_code: true}",
            "pretrained=\(model),dtype=float32",
        ] {
            let file = try workshop.write(
                """
                model: hf
                model_args: \(arguments)
                tasks: [scenes]
                include_path: \(demo)/tasks
                data_dir: \(demo)/tasks
                device: cpu
                limit: 5
                apply_chat_template: false
                """, to: "harness.yaml")
            let run = try CommandRun("mtl-eval", ["-C", file])
            #expect(run.status == 0, "\(run.errors)")
        }
        let list = try CommandRun("mtl-eval", ["--tasks", "list"])
        #expect(list.status == 0 && list.output.contains("arc_easy"))
        let three = try CommandRun("mtl-chat", [model, "Hi", "there"])
        #expect(three.status == 64 && three.errors.contains("unexpected word 'there'"))
        let odd = try CommandRun("mtl-eval", ["--model_args", "pretrained=x,revision=main"])
        #expect(odd.errors.contains("revision of --model_args is not known here"), "\(odd.errors)")
    }

    @Test("a program's help holds the flags of the subcommand that goes without saying")
    func help() throws {
        for (program, flag) in [("mtl-finetune", "--lora-r"), ("mtl-eval", "--num-fewshot")] {
            for word in ["--help", "-h"] {
                let run = try CommandRun(program, [word])
                #expect(run.status == 0 && run.output.contains(flag))
                #expect(run.output.contains("SUBCOMMANDS:"))
            }
        }
    }
}

@Suite("Help")
struct HelpTests {
    private static let programs: [(name: String, type: any ParsableCommand.Type)] = [
        ("mtl-finetune", MTLFinetune.self), ("mtl-eval", MTLEval.self), ("mtl-chat", MTLChat.self),
    ]

    private func commands(of program: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        let subcommands = program.configuration.subcommands
        return subcommands.isEmpty ? [program] : subcommands
    }

    @Test("every command's help ends its text with examples, and those are lines that it takes")
    func examples() throws {
        for (name, program) in Self.programs {
            for command in commands(of: program) {
                let text = program.helpMessage(for: command, columns: 80)
                let parts = text.components(separatedBy: HelpText.examplesTitle + "\n")
                try #require(parts.count == 2, "\(command)")
                let lines = parts[1].components(separatedBy: "\n\n")[0]
                    .replacing(" \\\n", with: " ").split(separator: "\n")
                #expect(!lines.isEmpty)
                for line in lines {
                    let words = Self.words(of: String(line))
                    #expect(words.first == name, "\(line)")
                    guard !words.contains("--config") else { continue }
                    let rest = Array(words.dropFirst())
                    _ = try program.parseAsRoot(CommandArguments(rest, of: program).words)
                }
            }
        }
    }

    /// The words of a command line with simple quotes, without what is redirected.
    private static func words(of line: String) -> [String] {
        var words: [String] = []
        for (place, part) in line.components(separatedBy: "'").enumerated() {
            words += place % 2 == 1 ? [part] : part.split(separator: " ").map(String.init)
        }
        return Array(words.prefix { $0 != "<" && $0 != ">" })
    }

    @Test("shells get scripts that complete options")
    func completion() throws {
        for (name, _) in Self.programs {
            for shell in ["bash", "zsh", "fish"] {
                let run = try CommandRun(name, ["--generate-completion-script", shell])
                #expect(run.status == 0 && run.output.contains("model"), "\(name) \(shell)")
            }
        }
    }
}
