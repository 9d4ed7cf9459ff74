import TestSupport
import Testing

@Suite("Wrong usage")
struct UsageTests {
    struct Case: CustomTestStringConvertible {
        let words: String
        let sentence: String
        var testDescription: String { words }

        init(_ words: String, _ sentence: String) {
            (self.words, self.sentence) = (words, sentence)
        }
    }

    static let cases = [
        // What is unknown was hidden behind "Missing expected argument '--model <model>'".
        Case("mtl-finetune --foo", "unknown option '--foo'"),
        Case(
            "mtl-finetune --modle m --data d", "unknown option '--modle'; did you mean '--model'?"),
        Case(
            "mtl-finetune --modle m --dat d",
            "unknown options '--modle', '--dat'; did you mean '--model', '--data'?"),
        Case("mtl-chat --promt hi", "unknown option '--promt'; did you mean '--prompt'?"),
        Case("mtl-eval --taks piqa", "unknown option '--taks'; did you mean '--tasks'?"),
        Case(
            "mtl-eval compare --model a", "unknown option '--model'"),
        Case("mtl-finetune inspct m", "unknown command 'inspct'; did you mean 'inspect'?"),
        Case(
            "mtl-finetune m",
            "unknown command 'm', expected an option or one of train, init, inspect, merge, export, upload, report, sweep, recipes, doctor"
        ),
        Case(
            "mtl-chat --model m -p hello world",
            "unexpected word 'world'; a text of several words stands in quotes"),
        Case(
            "mtl-eval compare a b c",
            "unexpected word 'c'; a text of several words stands in quotes"),
        // What is missing is told all at once.
        Case("mtl-finetune", "--model and --data are missing"),
        Case("mtl-finetune --model m", "--data is missing"),
        Case("mtl-finetune merge --model m", "--adapter and --output are missing"),
        Case("mtl-chat", "--model is missing"),
        Case("mtl-eval --tasks piqa", "--model is missing"),
        Case("mtl-eval --model m", "--tasks is missing; --list-tasks shows them all"),
        Case("mtl-eval compare a", "<second> is missing"),
        Case("mtl-eval loglikelihood --requests r --output o", "--model is missing"),
        Case("mtl-finetune --model m --data", "--data has no value"),
        Case(
            "mtl-chat --model m -p -x",
            "-p has no value; one that begins with a dash is written -p='-x'"),
        // Negative numbers were taken for flags, so that their options had no value.
        Case(
            "mtl-finetune --model m --data d --learning-rate -1",
            "--learning-rate is -1, expected a number of at least 0"),
        Case(
            "mtl-finetune --model m --data d --learning_rate=-1e-3",
            "--learning_rate is -1e-3, expected a number of at least 0"),
        Case(
            "mtl-finetune --model m --data d --lora-r -1",
            "--lora-r is -1, expected an integer in 1...65536"),
        Case(
            "mtl-finetune --model m --data d --max-steps -2",
            "--max-steps is -2, expected an integer of at least -1"),
        Case("mtl-eval --model m --tasks piqa --limit -1", "--limit is -1, expected above 0"),
        Case(
            "mtl-eval --model m --tasks piqa --num-fewshot -1",
            "--num-fewshot is -1, expected at least 0"),
        Case("mtl-finetune --model m --data d --threads -1", "--threads is -1, expected 0 to 4096"),
        Case(
            "mtl-chat --model m --repeat-last-n -2",
            "--repeat-last-n is -2, expected at least 0, or -1 for all"),
        // The option is named as it was typed; these said --temperature, setting, field and tree setting.
        Case("mtl-chat --model m --temp=-1", "--temp is -1, expected at least 0"),
        Case(
            "mtl-chat --model m --top_p 3", "--top_p is 3, expected above 0 and at most 1"),
        Case(
            "mtl-finetune --model m --data d --batch-size 0",
            "--batch-size is 0, expected an integer of at least 1"),
        Case(
            "mtl-finetune --model m --data d --lora-dropout 1",
            "--lora-dropout is 1, expected a probability in [0, 1)"),
        Case(
            "mtl-finetune --model m --data d --tree-neighbors 0",
            "--tree-neighbors is 0, expected at least 1"),
        Case(
            "mtl-finetune --model m --data d --chain-gain inf",
            "--chain-gain is inf, expected a finite number"),
        // Values of another kind.
        Case(
            "mtl-finetune --model m --data d --lora-r eight",
            "--lora-r is 'eight', expected a number"),
        Case(
            "mtl-finetune --model m --data d --lora-r 2.5",
            "--lora-r is '2.5', expected a whole number"),
        Case(
            "mtl-chat --model m --seed -1", "--seed is '-1', expected a number of at least 0"),
        Case(
            "mtl-finetune --model m --data d --engine nativ",
            "--engine is 'nativ', expected one of native, openblas; did you mean 'native'?"),
        Case(
            "mtl-finetune --model m --data d --resume=yes",
            "--resume is 'yes', expected no value"),
        Case(
            "mtl-eval --model m --tasks piqa --config c.json",
            "--config is 'c.json', expected a .yaml or .yml file"),
    ]

    @Test("is told in one sentence, with status 64 and the usage line", arguments: cases)
    func isTold(_ wrong: Case) throws {
        let words = wrong.words.split(separator: " ").map(String.init)
        let run = try CommandRun(words[0], Array(words.dropFirst()))
        #expect(run.status == 64)
        #expect(run.errorLines == ["Error: \(wrong.sentence)"], "\(run.errors)")
        #expect(run.errors.contains("Usage: \(words[0])"), "\(run.errors)")
        #expect(run.output.isEmpty)
    }

    static let files = [
        // Was "Unknown option '--no-resume'"; the flag is off, and nothing else is wrong.
        Case(
            "resume: no\nlearning_rate: -1",
            "2: key 'learning_rate' is -1, expected a number of at least 0"),
        Case(
            "quiet: off\njson: false\ncache: no\nshuffle: off\nbatch-size: 0",
            "5: key 'batch-size' is 0, expected an integer of at least 1"),
        Case("resume: maybe", "1: key 'resume' is 'maybe', expected true or false"),
        Case("engine: off", "1: key 'engine' is 'off', expected one of native, openblas"),
        Case(
            "# rates\nlearning_rat: 1",
            "2: key 'learning_rat' is no flag of this command; did you mean 'learning_rate'?"),
        Case("lora_r: eight", "1: key 'lora_r' is 'eight', expected a number"),
        Case("valid: [a, b]", "1: key 'valid' is a list, expected one value"),
        Case("seed: {a: 1}", "1: key 'seed' is a mapping, expected one value"),
        Case("\nlora_r: [1\nseed: 2", "3: not YAML: did not find expected ',' or ']'"),
    ]

    @Test("in a file of flags is told with file, line and key", arguments: files)
    func isToldOfFiles(_ wrong: Case) throws {
        let folder = TemporaryFolder()
        let file = folder.write(wrong.words + "\n", to: "c.yaml")
        let run = try CommandRun(
            "mtl-finetune", ["--model", "m", "--data", "d", "--config", file])
        #expect(run.status == 64)
        #expect(run.errorLines == ["Error: \(file):\(wrong.sentence)"], "\(run.errors)")
        #expect(run.output.isEmpty)
    }

    @Test("a file of flags that is a list holds no keys")
    func list() throws {
        let folder = TemporaryFolder()
        let file = folder.write("- resume\n", to: "c.yml")
        let run = try CommandRun("mtl-chat", ["--config=\(file)"])
        #expect(run.status == 64)
        #expect(
            run.errors
                == "Error: \(file): holds no keys, expected flags, one 'key: value' a line\n")
    }

    @Test("on a terminal of 40 columns an error breaks between words")
    func narrow() throws {
        let terminal = try PseudoTerminal(
            CommandRun.folder + "/mtl-chat", ["--model", "nosuch"],
            environment: ["TERM": "xterm", "HOME": "/"], columns: 40)
        // The terminal broke the line inside words, wherever its 40 columns ended.
        try terminal.expect(
            """
            Error: nosuch: no such folder, expected\r
            a model's folder or its name on the\r
            Hugging Face hub, such as\r
            state-spaces/mamba-130m-hf\r

            """)
        #expect(try terminal.end() == 1)
    }
}
