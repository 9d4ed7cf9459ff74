import ArgumentParser
import CommandSupport

/// The entry point of `mtl-finetune`.
@main
struct MTLFinetune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mtl-finetune",
        abstract: "Fine-tune Mamba language models, with a tree scan over the prompt.",
        discussion: """
            Without a subcommand, 'train' is meant. Flags may be written in kebab or snake case, \
            and kept as keys of a YAML file given with --config.
            """,
        version: CommandLineProgram.version,
        subcommands: [
            TrainCommand.self, InitCommand.self, InspectCommand.self, MergeCommand.self,
            ExportCommand.self, UploadCommand.self,
            ReportCommand.self, SweepCommand.self, RecipesCommand.self, DoctorCommand.self,
        ],
        defaultSubcommand: TrainCommand.self)

    static func main() { CommandLineProgram.run(MTLFinetune.self, recipes: Recipes.runs) }
}
