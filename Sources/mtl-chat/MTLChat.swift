import ArgumentParser
import Chat
import ChatTerminal
import CommandSupport
import FoundationEssentials
import ModelLoading
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
            """
                + HelpText.examples(
                    "mtl-chat MODEL",
                    "mtl-chat MODEL 'Name a young horse.'",
                    "mtl-chat --model MODEL --adapter out/mine --temp 0",
                    "mtl-chat --model MODEL --prompt - --json < question.txt"),
        version: CommandLineProgram.version)

    @Argument(
        help: ArgumentHelp(
            "A model and a prompt, in place of --model and --prompt.",
            valueName: "model-and-prompt"))
    var words: [String] = []

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

    @Option(help: "The system prompt: what the model is told before the conversation.")
    var systemPrompt: String?

    @Option(name: .customLong("n"), help: "Answer the prompt this many times.")
    var count = 1

    @Flag(help: "Print one JSON object for each prompt; of several answers, with 'choices'.")
    var json = false

    @Flag(help: "Print the log-probability of each token; with --json.")
    var logprobs = false

    @OptionGroup var configuration: ConfigurationOption

    static func main() { CommandLineProgram.run(MTLChat.self) }

    mutating func validate() throws {
        if model.model == nil, !words.isEmpty { model.model = words.removeFirst() }
        if prompt == nil, !words.isEmpty { prompt = words.removeFirst() }
        if let word = words.first {
            throw ValidationError(
                "unexpected word '\(word)'; a text of several words stands in quotes")
        }
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
        var (settings, note) = sampling.settings(
            parameters: loaded.model.configuration.parameterCount, count: count)
        if let note, Terminal.isInteractive { Terminal.printNote(note) }
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

/// Talks with whoever is at standard input.
enum Interactive {
    /// Talks until there is nothing more to say.
    ///
    /// - Parameters:
    ///   - session: The conversation.
    ///   - name: The model's name.
    /// - Throws: `ExitCode` of another status than 0.
    static func talk(_ session: ChatSession, name: String) throws {
        var options = ChatLoopOptions(environment: ProcessInfo.processInfo.environment)
        options.greeting = greeting(session, name: name)
        let status = ChatLoop(session, options: options).run()
        if status != 0 { throw ExitCode(status) }
    }

    private static func greeting(_ session: ChatSession, name: String) -> String {
        let adapter = session.adapters?.active.map { " with \($0)" }
        // The settings of the topology are what `/show` is for.
        let topology = session.model.flow.description.prefix { $0 != "," }
        return "\(name)\(adapter ?? ""), \(topology)"
    }

    /// Answers every line of standard input with one JSON object.
    ///
    /// - Parameters:
    ///   - session: The conversation.
    ///   - responder: Writes the objects.
    /// - Throws: What is wrong with a question, or `ExitCode` when standard output is gone.
    fileprivate static func answerLines(_ session: ChatSession, _ responder: Responder) throws {
        var input = StandardInput()
        while let line = try input.nextLine() {
            if !line.isEmpty { try responder.reply(to: line, in: session) }
        }
    }
}

/// Switches a model's adapters for a session, each with its own template unless one was asked for.
final class AdapterSwitch: AdapterControl {
    private let shelf: AdapterShelf
    private let tokenizer: TokenizerConfiguration
    private let usesRecordedTemplates: Bool

    init(_ shelf: AdapterShelf, tokenizer: TokenizerConfiguration, usesRecordedTemplates: Bool) {
        self.shelf = shelf
        self.tokenizer = tokenizer
        self.usesRecordedTemplates = usesRecordedTemplates
    }

    var names: [String] { shelf.names }
    var active: String? { shelf.active }

    func turnOff() { shelf.turnOff() }

    func turnOn(_ name: String) throws -> PromptTemplate? {
        guard shelf.turnOn(name) else {
            throw ChatError.unknownAdapter(name: name, known: names)
        }
        return try template()
    }

    func load(_ folder: String) throws -> PromptTemplate? {
        try shelf.load(folder)
        return try template()
    }

    private func template() throws -> PromptTemplate? {
        guard usesRecordedTemplates, let record = shelf.activeRecord else { return nil }
        return try PromptTemplate(
            name: record.template, source: record.templateSource, tokenizer: tokenizer,
            time: .now)
    }
}
