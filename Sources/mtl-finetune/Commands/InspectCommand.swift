import ArgumentParser
import CommandSupport

/// `mtl-finetune inspect`: what a model, an adapter or a file is.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract:
            "Tell what a model, an adapter, a GGUF file or a data file is: sizes and problems.",
        discussion: "The exit status is 1 if there are problems."
            + HelpText.examples(
                "mtl-finetune inspect MODEL",
                "mtl-finetune inspect records.jsonl"))

    @Argument(help: "A model's or an adapter's folder, or a GGUF or data file.")
    var path: String

    func run() throws {
        let inspection = try Inspection(path: path)
        inspection.facts.forEach { Terminal.printResult($0) }
        inspection.problems.forEach { Terminal.printNote("problem: \($0)") }
        if !inspection.problems.isEmpty { throw ExitCode.failure }
    }
}
