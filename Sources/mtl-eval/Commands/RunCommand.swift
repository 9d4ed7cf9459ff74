import ArgumentParser
import CommandSupport
import Evaluation

/// `mtl-eval run`: tasks on a model.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run tasks of lm-evaluation-harness on a model.")

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
