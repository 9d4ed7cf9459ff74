import ArgumentParser
import CommandSupport

/// The entry point of `mtl-eval`.
@main
struct MTLEval: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mtl-eval",
        abstract: "Score Mamba language models, with or without adapter and tree.",
        version: CommandLineProgram.version,
        subcommands: [LogLikelihoodCommand.self, TokenizeCommand.self])

    static func main() { CommandLineProgram.run(MTLEval.self) }
}
