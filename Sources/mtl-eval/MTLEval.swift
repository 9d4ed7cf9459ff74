import ArgumentParser
import CommandSupport

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
            RunCommand.self, CompareCommand.self, TreeCommand.self, LogLikelihoodCommand.self,
            TokenizeCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    static func main() { CommandLineProgram.run(MTLEval.self) }
}
