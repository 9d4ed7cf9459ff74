import ArgumentParser

/// What is written where.
struct OutputOptions: ParsableArguments {
    /// How the table is printed.
    enum Table: String, ExpressibleByArgument, CaseIterable {
        /// As the harness prints it.
        case harness
        /// Always with four decimals.
        case plain4
    }

    @Option(help: "The folder, or .json file, for results in the harness's schema.")
    var outputPath: String?

    @Flag(help: "Write every prompt, answer and score too; needs --output-path.")
    var logSamples = false

    @Flag(help: "Show prompt, target and request of each task's first document.")
    var writeOut = false

    @Flag(help: "Go on where an interrupted run with the same --output-path stopped.")
    var resume = false

    @Option(help: "How the table is printed: as the harness does, or plain4 with four decimals.")
    var table = Table.harness

    @Flag(help: "Show no progress.")
    var quiet = false
}
