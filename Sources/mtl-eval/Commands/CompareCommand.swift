import ArgumentParser
import CommandSupport
import Evaluation
import Storage

/// `mtl-eval compare`: whether one run is better than another.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two runs item by item.",
        discussion: """
            Both need the samples that --log-samples writes. Prints for each task and metric the \
            difference (second minus first), its paired standard error, and for right-or-wrong \
            metrics the exact p-value of McNemar's test.
            """)

    @Argument(help: "The folder of the first run's results, as given to --output-path.")
    var first: String

    @Argument(help: "The folder of the second run's results, as given to --output-path.")
    var second: String

    @Option(
        help: "An HTML file to write too: scores with error bars, and the items that changed.")
    var report: String?

    @Flag(help: "Write over the report if it exists.")
    var overwrite = false

    func run() throws {
        if let report { try OutputRule.checkFile(report, isOverwriting: overwrite) }
        let comparisons = try PairedComparison.compare(first, second)
        Terminal.printResult(ComparisonText.render(comparisons))
        guard let report else { return }
        try AtomicFile.write(try ScoreReport.page(comparisons, first, second).html, to: report)
        Terminal.printNote("wrote \(report)")
    }
}
