import ArgumentParser
import CommandSupport
import Storage

/// `mtl-finetune sweep`: several settings, several seeds, one table.
struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Train and score several settings with several seeds, and compare them.",
        discussion: """
            The file names members, each a set of flags, seeds, tasks and the member that the others \
            are held against; 'mtl-finetune recipes demo-sweep' prints one. Each member is trained \
            and scored in a folder of its own below the output, one after the other; those that are \
            finished are not run again. The table is printed and written as sweep.md and sweep.json; \
            report.html, written anew after each member, shows it beside curves and settings.
            """
                + HelpText.examples(
                    "mtl-finetune sweep demo-sweep",
                    "mtl-finetune sweep mine.yaml --output-dir out/mine-sweep"))

    @Argument(help: "A YAML file, or the name of a sweep that comes with the program.")
    var sweep: String

    @Option(help: "The folder to write members and the table into.")
    var outputDir = "out/sweep"

    @Flag(help: "Show no progress.")
    var quiet = false

    @Flag(help: "Print the table as one JSON object.")
    var json = false

    func run() throws {
        let text = try Recipes.sweeps[sweep] ?? ByteStream.contents(of: sweep)
        let runner = SweepRunner(
            plan: try SweepPlan(text, file: sweep), folder: outputDir, isQuiet: quiet || json)
        Interruption.watch()
        try runner.run { jobs in
            let table = try SweepTable(runner.plan, jobs)
            try SweepReport.write(table, runner, jobs)
        }
        let table = try SweepTable(runner.plan, runner.jobs)
        try AtomicFile.write(table.markdown, to: outputDir + "/sweep.md")
        try AtomicFile.write(
            JSONWriter(indent: 2).string(.object(table.json)) + "\n", to: outputDir + "/sweep.json")
        if json { return Terminal.printResult(JSONWriter().string(.object(table.json))) }
        Terminal.printResult(table.text)
        Terminal.printNote(SweepTable.legend(reference: runner.plan.reference))
        Terminal.printNote("look at it: \(SweepReport.path(in: outputDir))")
    }
}
