import ArgumentParser
import CommandSupport
import Kernels
import MambaLM
import Storage
import Tensors

extension ModelShape: ExpressibleByArgument {}

/// `mtl-finetune init`: a checkpoint with random weights.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a checkpoint with random weights, in the official initialisation.",
        discussion: HelpText.examples(
            "mtl-finetune init --shape tiny --seed 1 --output out/random",
            "mtl-finetune init --config MODEL/config.json --output out/random"))

    @Option(
        help: """
            The sizes of a released model, with its vocabulary of 50280 tokens: 130m, 370m, 790m, \
            1.4b or 2.8b; or tiny, to try things with.
            """)
    var shape: ModelShape?

    @Option(name: .customLong("config"), help: "The config.json of a model of other sizes.")
    var file: String?

    @Option(help: "Seed of the weights; the same seed gives the same file.")
    var seed: UInt64 = 42

    @OptionGroup var target: ModelOutputOptions

    func validate() throws {
        if shape == nil, file == nil {
            throw ValidationError("--shape is missing; give it, or --config with a config.json")
        }
        if shape != nil, file != nil {
            throw ValidationError("--shape and --config exclude each other; give one of them")
        }
    }

    func run() throws {
        let inputs = file.map { [OutputRule.Input($0, option: "--config")] } ?? []
        try target.check(apartFrom: inputs)
        let configuration =
            try file.map { try MambaConfiguration(file: $0) } ?? shape?.configuration
            ?? MambaConfiguration()
        var generator = SplitMix64(seed: seed)
        let model = MambaModel.random(
            configuration, engine: CPUEngine(threads: 1, matrixKernel: .native), using: &generator)
        try target.write(apartFrom: inputs) { try model.save(folder: $0) }
        Terminal.printResult(
            "\(target.output): \(configuration.parameterCount) parameters from seed \(seed)")
        Terminal.printNote(
            "\(target.output) has no tokenizer yet; copy a tokenizer.json and "
                + "tokenizer_config.json into it")
    }
}
