import ArgumentParser
import CommandSupport
import Evaluation
import Tokenization

/// `mtl-eval tokenize`: text to ids, or back.
struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turn texts into token ids, or ids into text.",
        discussion: """
            {"text": …} gains ids: no special tokens are added, those written in the text are \
            recognised. With --decode, {"ids": …} gains text.
            """)

    @Option(help: "A model's folder, a tokenizer.json or a SentencePiece .model file.")
    var model: String

    @Option(help: "The texts or ids, one JSON object a line (.jsonl, or with .zst).")
    var input: String

    @OptionGroup var output: FileOutputOptions

    @Flag(help: "Turn ids into text.")
    var decode = false

    @OptionGroup var configuration: ConfigurationOption

    func run() throws {
        let path = try ModelFolder.resolve(model)
        try output.check(
            apartFrom: [.init(input, option: "--input"), .init(path, option: "--model")])
        let tokenizing = TokenizingFile(tokenizer: try TokenizerLoader.load(at: path).tokenizer)
        try tokenizing.run(input: input, output: output.output, decoding: decode)
    }
}
