import MambaLM
import Prompting
import Storage
import Tokenization

/// A conversation with a model, without a terminal.
///
///     let session = try ChatSession(model: model, tokenizer: tokenizer, template: template)
///     let reply = try session.reply(to: "Hello", onText: { print($0, terminator: "") })
///
/// One thread drives a session and its model. A session holds one or more branches, of which one is the
/// current one; all methods act on that. Whatever fails leaves the conversation as it was.
public final class ChatSession {
    /// The name of the branch that a session begins with.
    public static let mainBranch = "main"

    /// The model.
    public let model: MambaModel
    /// Its tokenizer.
    public let tokenizer: LoadedTokenizer
    /// The model's adapters; `nil` if there is no way to switch them.
    public let adapters: (any AdapterControl)?
    /// How conversations are written to the model.
    ///
    /// A new one makes the next turn read the whole conversation again.
    public var template: PromptTemplate { didSet { forgetReadings() } }
    /// How answers are drawn; valid values only, see ``ChatSettings/validate()``.
    ///
    /// Another ``ChatSettings/history`` makes the next turn read the whole conversation again; another seed
    /// begins its sequence of answers anew. What is changed otherwise holds from the next answer.
    public var settings: ChatSettings {
        didSet {
            if settings.history != oldValue.history { forgetReadings() }
            if settings.seed != oldValue.seed { drawnReplies = 0 }
        }
    }
    /// What the session did so far.
    public var statistics: ChatStatistics {
        var statistics = counts
        statistics.stateBytes = branch.newestState?.bytes ?? 0
        statistics.position = branch.newestState?.position ?? 0
        return statistics
    }

    /// The branches in the order in which they began.
    var named: [(name: String, branch: Branch)]
    /// The place of the current branch.
    var current = 0
    /// How many answers were drawn with the current seed; each has random numbers of its own.
    var drawnReplies = 0
    var counts = ChatStatistics()
    /// What is read and so never written over, whatever the user says.
    let inputs: [OutputRule.Input]
    /// What was written, or loaded, in this conversation.
    var files = SessionFiles()
    /// The topology of what was read.
    private var readTopology = ""

    /// Begins a conversation.
    ///
    /// - Parameters:
    ///   - model: The model, with its topology and adapter.
    ///   - tokenizer: The model's tokenizer.
    ///   - template: How conversations are written to the model.
    ///   - settings: How answers are drawn.
    ///   - system: What the model is told before the conversation.
    ///   - adapters: The model's adapters, if they can be switched.
    ///   - inputs: The model's files and the like, which are never written over.
    /// - Throws: ``ChatError`` if a setting makes no sense.
    public init(
        model: MambaModel, tokenizer: LoadedTokenizer, template: PromptTemplate,
        settings: ChatSettings = ChatSettings(), system: String? = nil,
        adapters: (any AdapterControl)? = nil, inputs: [OutputRule.Input] = []
    ) throws {
        try settings.validate()
        (self.model, self.tokenizer, self.adapters) = (model, tokenizer, adapters)
        (self.template, self.settings, self.inputs) = (template, settings, inputs)
        named = [(Self.mainBranch, Branch(Transcript(system: system)))]
    }

    /// The current branch's conversation.
    public var transcript: Transcript { branch.transcript }

    /// What the model is told before the conversation; `nil` for nothing.
    ///
    /// Another text makes the next turn read the whole conversation again.
    public var system: String? {
        get { branch.transcript.system }
        set {
            guard newValue != branch.transcript.system else { return }
            branch.transcript.system = newValue
            branch.forgetReadings()
        }
    }

    /// The current branch.
    var branch: Branch {
        get { named[current].branch }
        set { named[current].branch = newValue }
    }

    /// Forgets what all branches have read, but not what was said.
    func forgetReadings() {
        for place in named.indices { named[place].branch.forgetReadings() }
    }

    /// Forgets what was read if the model's topology is another one since.
    func checkTopology() {
        let topology = model.flow.description
        if topology != readTopology { forgetReadings() }
        readTopology = topology
    }
}
