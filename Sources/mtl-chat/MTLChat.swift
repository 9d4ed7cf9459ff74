import ArgumentParser
import Chat
import CommandSupport
import Prompting
import Storage
import Tokenization

/// The entry point of `mtl-chat`.
@main
struct MTLChat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mtl-chat",
        abstract: "Talk to a model in the terminal, or answer one prompt.",
        discussion: """
            Without --prompt, a conversation: /help lists its commands, Ctrl-C stops an answer, \
            Ctrl-D leaves. Where standard input is no terminal, each line of it is a message.
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

    @Option(help: "What the model is told before the conversation.")
    var systemPrompt: String?

    @Option(name: .customLong("n"), help: "Answer the prompt this many times.")
    var count = 1

    @Flag(help: "Print one JSON object for each prompt; of several answers, with 'choices'.")
    var json = false

    @Flag(help: "Print the log-probability of each token; with --json.")
    var logprobs = false

    @OptionGroup var configuration: ConfigurationOption

    static func main() { CommandLineProgram.run(MTLChat.self) }

    func validate() throws {
        try model.needed()
        guard (1...1024).contains(count) else {
            throw ValidationError("--n is \(count), expected 1 to 1024")
        }
        guard count == 1 || prompt != nil else { throw ValidationError("--n needs --prompt") }
        guard json || !logprobs else { throw ValidationError("--logprobs needs --json") }
    }

    func run() throws {
        let session = try makeSession()
        let responder = Responder(isJSON: json)
        guard let prompt else {
            return json
                ? try Interactive.answerLines(session, responder)
                : try Interactive.talk(session, name: model.model ?? "")
        }
        Interruption.watch()
        let question = prompt == "-" ? try StandardInput.all() : prompt
        try responder.samples(of: question, count: count, in: session)
    }

    /// What is read from: nothing that is said in a conversation writes over it.
    private func inputs(of loaded: LoadedModel) -> [OutputRule.Input] {
        let paths = [
            (loaded.folder, "--model"), (model.adapter, "--adapter"), (template, "--template"),
        ]
        return paths.compactMap { path, option in path.map { .init($0, option: option) } }
    }

    private func makeSession() throws -> ChatSession {
        let loaded = try model.load(notes: Terminal.printNote)
        let tokenizer = try TokenizerLoader.load(at: loaded.folder)
        let recorded = template == nil ? loaded.record : nil
        var settings = sampling.settings
        settings.keepsLogProbabilities = logprobs
        let shelf = AdapterShelf(
            loaded, adapter: model.adapter, topology: model.topology.applied(to:),
            notes: Terminal.printNote)
        return try ChatSession(
            model: loaded.model, tokenizer: tokenizer,
            template: PromptTemplate(
                name: template ?? recorded?.template ?? PromptTemplate.standardName,
                source: recorded?.templateSource, tokenizer: tokenizer.configuration,
                time: .now),
            settings: settings, system: systemPrompt,
            adapters: AdapterSwitch(
                shelf, tokenizer: tokenizer.configuration,
                usesRecordedTemplates: template == nil),
            inputs: inputs(of: loaded))
    }
}
