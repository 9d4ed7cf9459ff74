import ArgumentParser
import CommandSupport
import Kernels
import MambaLM
import Storage

/// `mtl-finetune init`: a checkpoint with random weights.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a checkpoint with random weights, in the official initialisation.")

    @Option(name: .customLong("config"), help: "The config.json of the model.")
    var file: String

    @Option(help: "Decides the weights: the same seed gives the same file.")
    var seed: UInt64 = 42

    @OptionGroup var target: ModelOutputOptions

    func run() throws {
        let inputs = [OutputRule.Input(file, option: "--config")]
        try target.check(apartFrom: inputs)
        let configuration = try MambaConfiguration(file: file)
        var generator = SplitMix64(seed: seed)
        let model = MambaModel.random(
            configuration, engine: CPUEngine(threads: 1), using: &generator)
        try target.write(apartFrom: inputs) { try model.save(folder: $0) }
        Terminal.printResult(
            "\(target.output): \(configuration.parameterCount) parameters from seed \(seed)")
    }
}
