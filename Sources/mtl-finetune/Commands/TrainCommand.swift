import ArgumentParser
import CommandSupport
import FineTuning

/// `mtl-finetune train`: parse, validate, hand over.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Fine-tune a model on instruction data.",
        discussion: HelpText.examples(
            "mtl-finetune --model MODEL --data records.jsonl --output-dir out/mine",
            "mtl-finetune --model MODEL --data records.jsonl --dry-run",
            "mtl-finetune --recipe quick-300 --model MODEL --data records.jsonl",
            "mtl-finetune --config run.yaml --learning-rate 1e-3",
            "mtl-finetune --config out/mine/config.yaml --resume"))

    @Option(
        help: """
            A model's folder in Hugging Face layout, or org/name on the Hugging Face hub, \
            downloaded once.
            """)
    var model: String

    @Option(
        parsing: .upToNextOption,
        help: """
            Training data: .jsonl, .json, .csv or .tsv files, also with .zst or .gz, or .parquet, or a folder with \
            train and, to validate on, valid, validation, val or dev, or a data set of the Hugging Face hub, \
            org/name or org/name:split, downloaded once.
            """)
    var data: [String]

    @Option(
        parsing: .upToNextOption,
        help: """
            How often the records of each of --data are seen in an epoch, one number for each: 2 for twice, 0.5 \
            for half of them.
            """)
    var dataWeights: [Double] = []

    @Option(help: "A file with records to validate on, or org/name:split on the hub.")
    var valid: String?

    @Option(
        help: """
            Prompts that are answered at each validation, the first time by the model without an \
            adapter: a text with one a line, or records with instruction and input in .jsonl.
            """)
    var samplePrompts: String?

    @OptionGroup(title: "Topology") var topology: TopologyOptions
    @OptionGroup(title: "Adapter") var adapter: AdapterOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "Engine") var engine: EngineOptions

    @Option(help: "The folder to write the result, checkpoints and metrics into.")
    var outputDir = "out"

    @Flag(help: "Continue the newest checkpoint in the output folder.")
    var resume = false

    @Flag(help: "Replace an earlier run in the output folder; its files are removed.")
    var overwrite = false

    @Flag(help: "Show what would be trained, on what and for how long; train nothing.")
    var dryRun = false

    @Flag(
        inversion: .prefixedNo,
        help: """
            Whether the data's tokens are kept in the user's cache folder, so that the same data \
            are not encoded again.
            """)
    var cache = true

    @Option(
        help: """
            Settings that come with the program, which 'mtl-finetune recipes' lists; flags given here \
            and in --config win, and of several recipes the last.
            """)
    var recipe: String?

    @OptionGroup var configuration: ConfigurationOption

    @Flag(help: "Show no progress.")
    var quiet = false

    @Flag(help: "Print every event as one JSON object per line on standard output.")
    var json = false

    func validate() throws {
        guard engine.dtype != .int8 else {
            throw ValidationError(
                "--dtype is int8, expected float32 or bfloat16: int8 is for scoring and talking")
        }
        guard adapter.fineTuneType == .lora || engine.dtype == .float32 else {
            throw ValidationError(
                "--dtype is \(engine.dtype.rawValue), expected float32 with --fine-tune-type full: "
                    + "weights that are trained are kept in float32")
        }
        guard !resume || !overwrite else {
            throw ValidationError("--resume and --overwrite exclude each other")
        }
        guard !data.isEmpty else { throw ValidationError("--data names no file") }
    }

    func run() throws {
        let report = TrainingReport(isQuiet: quiet, isJSON: json)
        let session = try TrainingSession(self, report: report)
        if dryRun {
            return report.show(try session.dryRun())
        }
        Interruption.watch(isAnnounced: true)
        try session.run(report)
    }
}
