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

    @Option(help: "The folder to write config.json and model.safetensors into.")
    var output: String

    func run() throws {
        let configuration = try MambaConfiguration(file: file)
        try FolderTree.create(output)
        var generator = SplitMix64(seed: seed)
        let model = MambaModel.random(
            configuration, engine: CPUEngine(threads: 1), using: &generator)
        try model.save(folder: output)
        Terminal.printResult(
            "\(output): \(configuration.parameterCount) parameters from seed \(seed)")
    }
}
