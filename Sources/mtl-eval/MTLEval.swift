import ArgumentParser
import CommandSupport
import Evaluation
import Glibc
import Python
import Storage
import Tokenization

/// The entry point of `mtl-eval`.
@main
struct MTLEval: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mtl-eval",
        abstract: "Score Mamba language models, with or without adapter and tree.",
        discussion: """
            Without a subcommand, 'run' is meant. Flags and files are those of \
            lm-evaluation-harness; flags may be written in kebab or snake case, and kept as keys of \
            a YAML file given with --config.
            """,
        version: CommandLineProgram.version,
        subcommands: [
            RunCommand.self, ValidateCommand.self, CompareCommand.self, TreeCommand.self,
            LogLikelihoodCommand.self,
            TokenizeCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    static func main() { CommandLineProgram.run(MTLEval.self) }
}

/// `mtl-eval run`: tasks on a model.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run tasks of lm-evaluation-harness on a model.",
        discussion: HelpText.examples(
            "mtl-eval --model MODEL --tasks arc_easy,piqa --data-dir DATA",
            "mtl-eval --model MODEL --adapter out/mine --tasks arc_easy --limit 100",
            "mtl-eval --model MODEL --tasks mine --include-path . --output-path results",
            "mtl-eval --list-tasks"))

    @OptionGroup(title: "Tasks") var tasks: TaskOptions
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup var configuration: ConfigurationOption

    func validate() throws {
        guard !tasks.listTasks else { return }
        guard !tasks.tasks.isEmpty else {
            throw ValidationError("--tasks is missing; --list-tasks shows them all")
        }
        try model.needed()
        guard !output.logSamples || output.outputPath != nil else {
            throw ValidationError("--log-samples needs --output-path")
        }
        guard !output.resume || output.outputPath != nil else {
            throw ValidationError("--resume needs --output-path")
        }
    }

    func run() throws {
        let index = try TaskIndex(includePaths: tasks.includePath)
        index.warnings.forEach { Terminal.printNote("warning: \($0)") }
        if tasks.listTasks {
            Terminal.printResult(index.listing)
            return
        }
        Interruption.watch()
        try EvaluationSession(self, index: index).run()
    }
}

/// `mtl-eval validate`: whether tasks can be run.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Say which tasks can be read, and what is wrong with the others.",
        discussion: """
            Reads task files with all that they include, and imports their Python functions if \
            --python allows that; reads no documents and no model. Exit status 1 if a task cannot \
            be read.
            """
                + HelpText.examples(
                    "mtl-eval validate --tasks mine.yaml",
                    "mtl-eval validate --tasks mine --include-path . --python python3"))

    @OptionGroup var tasks: TaskOptions
    @OptionGroup var configuration: ConfigurationOption

    func validate() throws {
        guard !tasks.tasks.isEmpty else { throw ValidationError("--tasks is missing") }
    }

    func run() throws {
        let index = try TaskIndex(includePaths: tasks.includePath)
        let settings = tasks.settings
        var refused = 0
        for name in tasks.names {
            do {
                let selection = try TaskSelection([name], from: index, settings)
                selection.warnings.forEach { Terminal.printNote("warning: \($0)") }
                let count = selection.tasks.count
                Terminal.printResult("\(name): \(count) task\(count == 1 ? "" : "s")")
            } catch {
                refused += 1
                Terminal.printResult("\(name): error: \(error)")
            }
        }
        guard refused == 0 else { throw ExitCode(1) }
    }
}

/// `mtl-eval compare`: whether one run is better than another.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two runs item by item.",
        discussion: """
            Both need the samples that --log-samples writes. Prints for each task and metric the \
            difference (second minus first), its paired standard error, and for right-or-wrong \
            metrics the exact p-value of McNemar's test.
            """
                + HelpText.examples(
                    "mtl-eval compare results/base results/mine --report compared.html"))

    @Argument(help: "The folder of the first run's results, as given to --output-path.")
    var first: String

    @Argument(help: "The folder of the second run's results, as given to --output-path.")
    var second: String

    @Option(
        help: "An HTML file to write too: scores with error bars, and the items that changed.")
    var report: String?

    @Flag(help: "Write over the report if it exists.")
    var overwrite = false

    func run() throws {
        if let report { try OutputRule.checkFile(report, isOverwriting: overwrite) }
        let comparisons = try PairedComparison.compare(first, second)
        Terminal.printResult(ComparisonText.render(comparisons))
        guard let report else { return }
        try AtomicFile.write(try ScoreReport.page(comparisons, first, second).html, to: report)
        Terminal.printNote("wrote \(report)")
    }
}

/// `mtl-eval loglikelihood`: raw scoring.
struct LogLikelihoodCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loglikelihood",
        abstract: "Score continuations, or every token of a text.",
        discussion: """
            A request is {"context": …, "continuation": …} or {"context_ids": …, \
            "continuation_ids": …}; its answer adds loglikelihood, token_logprobs and is_greedy. \
            With --all-positions it is {"ids": …, "prompt_length": …}; its answer adds \
            token_logprobs, one for every token after the first.
            """
                + HelpText.examples(
                    "mtl-eval loglikelihood --model MODEL --requests in.jsonl --output out.jsonl"))

    @OptionGroup var model: ModelOptions

    @Option(help: "The requests, one JSON object per line (.jsonl, or with .zst).")
    var requests: String

    @OptionGroup var output: FileOutputOptions

    @Flag(help: "Score every token of 'ids' after the first.")
    var allPositions = false

    @Option(help: "Maximum number of tokens read per request; earlier ones are cut off.")
    var maxLength = 2048

    @Flag(help: "Show no progress.")
    var quiet = false

    @OptionGroup var configuration: ConfigurationOption

    func validate() throws {
        try model.needed()
        guard maxLength >= 1 else {
            throw ValidationError("--max-length is \(maxLength), expected at least 1")
        }
    }

    func run() throws {
        let inputs = [
            (requests, "--requests"), (model.model, "--model"), (model.adapter, "--adapter"),
        ]
        try output.check(
            apartFrom: inputs.compactMap { path, option in path.map { .init($0, option: option) } })
        let loaded = try model.load(notes: Terminal.printNote)
        let scoring = RawScoring(
            model: loaded.model, modelName: loaded.name, tokenizer: try loaded.tokenizer(),
            maximumLength: maxLength)
        var line = ProgressLine("scored", isQuiet: quiet)
        try scoring.run(input: requests, output: output.output, allPositions: allPositions) {
            line.update(done: $0, total: $1)
        }
        line.clear()
    }
}

/// `mtl-eval tokenize`: text to ids, or back.
struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turn texts into token ids, or ids into text.",
        discussion: """
            {"text": …} gains ids: no special tokens are added, those written in the text are \
            recognised. With --decode, {"ids": …} gains text.
            """
                + HelpText.examples(
                    "mtl-eval tokenize --model MODEL --input texts.jsonl --output ids.jsonl",
                    "mtl-eval tokenize --decode --model MODEL --input ids.jsonl --output t.jsonl"))

    @Option(help: "A model's folder, a tokenizer.json or a SentencePiece .model file.")
    var model: String

    @Option(help: "The texts or ids, one JSON object per line (.jsonl, or with .zst).")
    var input: String

    @OptionGroup var output: FileOutputOptions

    @Flag(help: "Turn ids into text.")
    var decode = false

    @OptionGroup var configuration: ConfigurationOption

    func run() throws {
        let path = try ModelFolder.resolve(model)
        try output.check(
            apartFrom: [.init(input, option: "--input"), .init(path, option: "--model")])
        let tokenizing = TokenizingFile(tokenizer: try TokenizerLoader.load(at: path).tokenizer)
        try tokenizing.run(input: input, output: output.output, decoding: decode)
    }
}

/// One file to write.
struct FileOutputOptions: ParsableArguments {
    @Option(help: "The file to write, one JSON object per line.")
    var output: String

    @Flag(help: "Write over the file if it exists.")
    var overwrite = false

    /// Refuses, before any work is done, a file that exists or is read, or that cannot be made.
    ///
    /// - Parameter inputs: What the command reads.
    /// - Throws: `OutputError` or `FileError`.
    func check(apartFrom inputs: [OutputRule.Input]) throws {
        try OutputRule.checkFile(output, apartFrom: inputs, isOverwriting: overwrite)
        let folder = FilePath.folder(of: output)
        guard FilePath.isFolder(folder) else {
            throw FileError.system(file: folder, action: "write into", code: ENOENT)
        }
    }
}

/// Paired comparisons as a Markdown table.
enum ComparisonText {
    static func render(_ comparisons: [PairedComparison]) -> String {
        let header = [
            "Task", "Metric", "Items", "First", "Second", "Difference", "Error", "Only first",
            "Only second", "p",
        ]
        let rows = comparisons.map { x in
            [
                x.task, x.metric, "\(x.documents)", number(x.first), number(x.second),
                (x.difference >= 0 ? "+" : "") + number(x.difference),
                x.error.map(number) ?? "N/A", x.onlyFirst.map { "\($0)" } ?? "",
                x.onlySecond.map { "\($0)" } ?? "", x.pValue.map(number) ?? "",
            ]
        }
        return PaddedTable.markdown(header: header, rows, leftColumns: 2)
    }

    private static func number(_ value: Double) -> String { PythonFloat.fixed(value, places: 4) }
}
