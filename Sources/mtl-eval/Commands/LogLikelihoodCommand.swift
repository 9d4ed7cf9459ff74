import ArgumentParser
import CommandSupport
import Evaluation

/// `mtl-eval loglikelihood`: raw scoring.
struct LogLikelihoodCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loglikelihood",
        abstract: "Score continuations, or every token of a text.",
        discussion: """
            A request is {"context": …, "continuation": …} or {"context_ids": …, \
            "continuation_ids": …}; its answer adds loglikelihood, token_logprobs and is_greedy. \
            With --all-positions it is {"ids": …, "prompt_length": …}; its answer adds \
            token_logprobs, one for every token after the first.
            """)

    @OptionGroup var model: ModelOptions

    @Option(help: "The requests, one JSON object a line (.jsonl, or with .zst).")
    var requests: String

    @OptionGroup var output: FileOutputOptions

    @Flag(help: "Score every token of 'ids' after the first.")
    var allPositions = false

    @Option(help: "The most tokens that are read for one request; older ones are cut off.")
    var maxLength = 2048

    @Flag(help: "Show no progress.")
    var quiet = false

    @OptionGroup var configuration: ConfigurationOption

    func validate() throws {
        try model.needed()
        guard maxLength >= 1 else {
            throw ValidationError("--max-length is \(maxLength), expected at least 1")
        }
    }

    func run() throws {
        let inputs = [
            (requests, "--requests"), (model.model, "--model"), (model.adapter, "--adapter"),
        ]
        try output.check(
            apartFrom: inputs.compactMap { path, option in path.map { .init($0, option: option) } })
        let loaded = try model.load(notes: Terminal.printNote)
        let scoring = RawScoring(
            model: loaded.model, modelName: loaded.name, tokenizer: try loaded.tokenizer(),
            maximumLength: maxLength)
        var line = ProgressLine("scored", isQuiet: quiet)
        try scoring.run(input: requests, output: output.output, allPositions: allPositions) {
            line.update(done: $0, total: $1)
        }
        line.clear()
    }
}
