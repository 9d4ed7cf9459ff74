import ArgumentParser
import CommandSupport
import Storage

/// `mtl-eval tree`: the trees that a model builds, to be looked at.
struct TreeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree",
        abstract: "Show the trees that the layers build over a prompt, or over many in numbers.",
        discussion: """
            One HTML file, without network: arcs over the tokens, a slider over the layers, which \
            tokens a state gathers from, depth, and how much layers agree. With --data and no \
            --index, means over the data's prompts come first. JSON and SVG are for other programs.
            """
                + HelpText.examples(
                    "mtl-eval tree --model MODEL --prompt 'Tom lost two kites.' --output tree.html",
                    "mtl-eval tree --model MODEL --adapter out/mine --compare base \\",
                    "  --data records.jsonl --output trees.html"))

    /// What is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        /// The page.
        case html
        /// All numbers.
        case json
        /// The drawing of one layer.
        case svg
    }

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(help: "The prompt; the template is put around it.")
    var prompt: String?

    @Option(help: "Training data in place of a prompt: a .json or .jsonl file, or with .zst.")
    var data: String?

    @Option(help: "The record of --data that is drawn, from 0; without it, all are counted.")
    var index: Int?

    @Option(help: "How many records of --data are counted at most.")
    var limit = 200

    @Option(
        help: """
            The prompt template, as for training: a name or a Jinja file. Default: what the \
            adapter or model was trained with, else alpaca-short.
            """)
    var template: String?

    @Option(
        help: """
            A second model to see what differs: another adapter's folder, or base, the model \
            without adapter. It comes first, --adapter after it.
            """)
    var compare: String?

    @Option(help: "The layer that is drawn, or shown at first, from 0.")
    var layer = 0

    @Option(help: "The file to write.")
    var output: String

    @Option(help: "html, json or svg. Default: what the file's name ends in, else html.")
    var format: Format?

    @Flag(help: "Write over the file if it exists.")
    var overwrite = false

    @Flag(help: "Show no progress.")
    var quiet = false

    @OptionGroup var configuration: ConfigurationOption

    /// What is written, by default by the file's name.
    var resolvedFormat: Format {
        format ?? Format.allCases.first { output.hasSuffix("." + $0.rawValue) } ?? .html
    }

    func validate() throws {
        try model.needed()
        guard (prompt == nil) != (data == nil) else {
            throw ValidationError(
                prompt == nil
                    ? "--prompt is missing; give it, or --data with a file of records"
                    : "--prompt and --data exclude each other; give one of them")
        }
        guard index == nil || data != nil else { throw ValidationError("--index needs --data") }
        guard index ?? 0 >= 0 else {
            throw ValidationError("--index is \(index ?? 0), expected at least 0")
        }
        guard limit >= 1 else { throw ValidationError("--limit is \(limit), expected at least 1") }
        guard layer >= 0 else { throw ValidationError("--layer is \(layer), expected at least 0") }
        guard model.topology.topology != .chain else {
            throw ValidationError("--topology is chain, expected tree: a chain has nothing to show")
        }
        guard compare == nil || model.adapter != nil else {
            throw ValidationError("--compare needs --adapter")
        }
        guard resolvedFormat != .svg || prompt != nil || index != nil else {
            throw ValidationError("--format svg needs --prompt or --index")
        }
    }

    func run() throws {
        let inputs = [
            (model.model, "--model"), (model.adapter, "--adapter"), (data, "--data"),
            (template, "--template"),
        ]
        try OutputRule.checkFile(
            output,
            apartFrom: inputs.compactMap { path, option in path.map { .init($0, option: option) } },
            isOverwriting: overwrite)
        Interruption.watch()
        let page = try TreeSession(self).page()
        try AtomicFile.write(to: output) { file in
            switch resolvedFormat {
            case .html: try file.write(page.html)
            case .svg: try file.write(page.svg ?? "")
            case .json:
                try file.write(
                    JSONWriter(escapesNonASCII: false, isCompact: true).string(page.json) + "\n")
            }
        }
        Terminal.printResult(output)
    }
}
