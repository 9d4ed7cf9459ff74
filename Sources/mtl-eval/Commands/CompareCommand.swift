import ArgumentParser
import CommandSupport
import Evaluation

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

    func run() throws {
        let comparisons = try PairedComparison.compare(first, second)
        Terminal.printResult(ComparisonText.render(comparisons))
    }
}
