import ArgumentParser
import CommandSupport
import Reports
import Storage

/// `mtl-finetune report`: the page of a run, finished or not.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write the report of a training run as one HTML file.",
        discussion: """
            Training writes it too, at each validation and checkpoint and at the end. It needs no \
            network and shows curves, sample answers, the trees of one sample, warnings, settings \
            and the command to repeat the run.
            """
                + HelpText.examples(
                    "mtl-finetune report out/mine",
                    "mtl-finetune report out/mine --output mine.html"))

    @Argument(help: "The run's folder, as given to --output-dir.")
    var folder: String

    @Option(help: "The file to write. (default: report.html in the run's folder)")
    var output: String?

    @Flag(help: "Write over the file if it exists.")
    var overwrite = false

    func run() throws {
        if let output { try OutputRule.checkFile(output, isOverwriting: overwrite) }
        Terminal.printResult(try RunPage.write(of: folder, to: output))
    }
}
