import ArgumentParser
import CommandSupport

/// The entry point of `mtl-chat`.
@main
struct MTLChat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mtl-chat",
        abstract: "Talk to a model in the terminal, or answer one prompt.",
        discussion: """
            Without --prompt, every line of standard input is a prompt of its own. Answers go to \
            standard output as they are made.
            """,
        version: CommandLineProgram.version)

    @OptionGroup var model: ModelOptions
    @OptionGroup var sampling: SamplingOptions

    @Option(name: [.short, .long], help: "Answer this and exit; '-' reads standard input.")
    var prompt: String?

    @Option(
        help: """
            How a prompt is written to the model: alpaca-short, alpaca, chat, none or a Jinja \
            file. Default: the one the adapter was trained with.
            """)
    var template: String?

    @Flag(help: "Print one JSON object for each answer.")
    var json = false

    static func main() { CommandLineProgram.run(MTLChat.self) }

    func run() throws {
        let responder = try Responder(
            try model.load(notes: Terminal.printNote), template: template, sampling: sampling,
            isJSON: json)
        if let prompt {
            try responder.answer(prompt == "-" ? StandardInput.all() : prompt)
            return
        }
        if Terminal.isInteractive { Terminal.printNote("Ctrl-D leaves.") }
        while let line = readLine() {
            if !line.isEmpty { try responder.answer(line) }
        }
    }
}
