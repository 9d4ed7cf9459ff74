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
    /// - Throws: ``ChatError`` if a setting is invalid.
    public init(
        model: MambaModel, tokenizer: LoadedTokenizer, template: PromptTemplate,
        settings: ChatSettings = ChatSettings(), system: String? = nil,
        adapters: (any AdapterControl)? = nil, inputs: [OutputRule.Input] = []
    ) throws {
        try settings.validate()
        self.model = model
        self.tokenizer = tokenizer
        self.adapters = adapters
        self.template = template
        self.settings = settings
        self.inputs = inputs
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

extension ChatSession {
    /// The names of all branches, in the order in which they began.
    public var branches: [String] { named.map(\.name) }

    /// The name of the branch that goes on.
    public var currentBranch: String { named[current].name }

    /// Copies the current branch and goes on in the copy.
    ///
    /// - Parameter name: The copy's name; not empty.
    /// - Throws: ``ChatError/branchExists(name:)``.
    public func fork(_ name: String) throws {
        guard !name.isEmpty else {
            throw ChatError.setting(
                name: "branch name", found: "empty", expected: "at least one character")
        }
        guard !branches.contains(name) else { throw ChatError.branchExists(name: name) }
        named.append((name, branch))
        current = named.count - 1
    }

    /// Goes on in another branch.
    ///
    /// - Throws: ``ChatError/unknownBranch(name:known:)``.
    public func switchBranch(to name: String) throws {
        guard let place = branches.firstIndex(of: name) else {
            throw ChatError.unknownBranch(name: name, known: branches)
        }
        current = place
    }
}

extension ChatSession {
    /// Lets the model act without its adapter; topology and template stay.
    ///
    /// What was read with it counts no more: the next turn reads the whole conversation again.
    ///
    /// - Throws: ``ChatError/noAdapter``.
    public func turnAdapterOff() throws {
        guard let adapters, adapters.active != nil else { throw ChatError.noAdapter }
        adapters.turnOff()
        forgetReadings()
    }

    /// Lets an adapter act again, with the topology and the template that it was trained with.
    ///
    /// What was read without it counts no more: the next turn reads the whole conversation again.
    ///
    /// - Parameter name: One of the loaded ones; `nil` for the newest.
    /// - Throws: ``ChatError/noAdapter`` or ``ChatError/unknownAdapter(name:known:)``.
    public func turnAdapterOn(_ name: String? = nil) throws {
        guard let adapters, let name = name ?? adapters.active ?? adapters.names.last else {
            throw ChatError.noAdapter
        }
        if let template = try adapters.turnOn(name) { self.template = template }
        forgetReadings()
    }

    /// Reads an adapter, which then acts, with the topology and the template that it was trained with.
    ///
    /// - Parameter folder: Its folder.
    /// - Throws: What is wrong with its files; then everything is as before.
    public func loadAdapter(_ folder: String) throws {
        guard let adapters else { throw ChatError.noAdapter }
        if let template = try adapters.load(folder) { self.template = template }
        forgetReadings()
    }

    /// Answers a question twice, without adapter and with it, with the same random numbers, topology and
    /// template; adds nothing to the conversation.
    ///
    /// - Parameters:
    ///   - question: What the user says; `nil` for the last question, in its place in the conversation.
    ///   - onEvent: See ``reply(to:onEvent:)``; the reading of each answer's prompt begins at 0.
    /// - Returns: Both answers.
    /// - Throws: ``ChatError/noAdapter`` and others.
    public func compare(
        _ question: String? = nil, onEvent: (ReplyEvent) -> Bool = { _ in true }
    ) throws -> (off: Reply, on: Reply) {
        guard let adapters, let name = adapters.active ?? adapters.names.last else {
            throw ChatError.noAdapter
        }
        let wasOn = adapters.active != nil
        let flow = model.flow
        defer {
            // As it was, so that what was read still counts.
            if !wasOn { adapters.turnOff() }
            model.flow = flow
        }
        func draw(isOn: Bool) throws -> Reply {
            var asked = try question.map { try asking($0) } ?? askingAgain()
            if isOn != wasOn { asked.forgetReadings() }
            return try self.draw(1, of: &asked) { event in
                if case .text(let piece, _) = event {
                    onEvent(.text(piece, answer: isOn ? 1 : 0))
                } else {
                    onEvent(event)
                }
            }.replies[0]
        }
        adapters.turnOff()
        let off = Result { try draw(isOn: false) }
        _ = try adapters.turnOn(name)
        model.flow = flow
        return (try off.get(), try draw(isOn: true))
    }
}

/// The adapters of a session's model; a session switches them through it without knowing their format.
public protocol AdapterControl: AnyObject {
    /// The adapters that were loaded, in that order.
    var names: [String] { get }

    /// The adapter that acts; `nil` if none does.
    var active: String? { get }

    /// Lets the model act without an adapter; its topology stays.
    func turnOff()

    /// Lets one of ``names`` act, and no other, with the topology that it was trained with.
    ///
    /// - Returns: The template that it was trained with; `nil` if that is not known or another was asked
    ///   for.
    /// - Throws: ``ChatError/unknownAdapter(name:known:)``.
    func turnOn(_ name: String) throws -> PromptTemplate?

    /// Reads an adapter, which then acts, with the topology that it was trained with.
    ///
    /// - Parameter folder: Its folder; afterwards one of ``names``.
    /// - Returns: As of ``turnOn(_:)``.
    /// - Throws: What is wrong with its files; then everything is as before.
    func load(_ folder: String) throws -> PromptTemplate?
}
