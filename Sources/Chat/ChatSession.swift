import MambaLM
import Prompting
import Tokenization

/// A conversation with a model, without a terminal.
///
///     let session = ChatSession(model: model, tokenizer: tokenizer, template: template)
///     let reply = try session.reply(to: "Hello") { print($0, terminator: "") }
///
/// The session owns the model while it lives: one thread drives both. It holds one or more branches, of
/// which one is the current one; all methods act on that. Whatever fails leaves the conversation as it
/// was.
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
    public var template: PromptTemplate
    /// How answers are drawn; valid values only, see ``ChatSettings/validate()``.
    ///
    /// Another ``ChatSettings/history`` makes the next turn read the whole conversation again; another seed
    /// begins its sequence of answers anew. What is changed otherwise holds from the next answer.
    public var settings: ChatSettings
    /// What the session did so far.
    public internal(set) var statistics = ChatStatistics()

    /// Begins a conversation.
    ///
    /// - Parameters:
    ///   - model: The model, with its topology and adapter.
    ///   - tokenizer: The model's tokenizer.
    ///   - template: How conversations are written to the model.
    ///   - settings: How answers are drawn.
    ///   - system: What the model is told before the conversation.
    ///   - adapters: The model's adapters, if they can be switched.
    /// - Throws: ``ChatError`` if a setting makes no sense.
    public init(
        model: MambaModel, tokenizer: LoadedTokenizer, template: PromptTemplate,
        settings: ChatSettings = ChatSettings(), system: String? = nil,
        adapters: (any AdapterControl)? = nil
    ) throws {
        try settings.validate()
        (self.model, self.tokenizer, self.adapters) = (model, tokenizer, adapters)
        (self.template, self.settings) = (template, settings)
    }

    /// The current branch's conversation.
    public var transcript: Transcript { Transcript() }

    /// What the model is told before the conversation; `nil` for nothing.
    ///
    /// Another text makes the next turn read the whole conversation again.
    public var system: String? {
        get { transcript.system }
        set { _ = newValue }
    }
}
