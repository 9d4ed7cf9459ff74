import MambaLM
import Prompting
import Storage

extension ChatSession {
    /// What became of the state in a saved session.
    public enum LoadedState: Equatable, Sendable {
        /// The conversation goes on from it.
        case kept
        /// It is not there, or was left aside for this reason: the next turn reads the conversation again.
        case recomputed(reason: String)
    }

    /// Where the session was saved to, or loaded from, last; `nil` if it has no file.
    public var file: String? { files.session }

    /// Whether the session has a file and is not what is saved there.
    public var isChanged: Bool {
        files.session != nil && XXH64.hash(savedSession.text) != files.savedHash
    }

    /// Writes all branches, the settings and the current branch's state into one file, all or nothing.
    ///
    /// A state is there where a later turn can go on from one: with ``HistoryMode/carry``, and on a chain.
    ///
    /// - Parameters:
    ///   - path: The file. One that exists is replaced if this conversation was saved to it, or loaded
    ///     from it, or if the user says so.
    ///   - isOverwriting: Whether the user says so.
    /// - Throws: `OutputError` or `FileError`.
    public func save(to path: String, isOverwriting: Bool = false) throws {
        try checkOutput(
            path, isOverwriting: isOverwriting || files.ownsSession(path), command: "/save")
        let saved = savedSession
        let metadata = [SavedSession.key: saved.text, SavedSession.digestKey: saved.digest]
        if saved.read != nil, let state = branch.points.last?.state {
            try state.write(to: path, of: model, metadata: metadata)
        } else {
            try SafetensorsWriter.write([], metadata: metadata, to: path) { _, _ in }
        }
        files.noteSaved(path, saved)
    }

    /// What a file of the session says now.
    private var savedSession: SavedSession {
        // What is not finite would be refused by whoever loads it.
        let read = branch.points.last.flatMap { $0.state.isFinite ? $0 : nil }
        return SavedSession(
            model: model.fingerprint.model, template: template.name, settings: settings,
            drawnReplies: drawnReplies, branches: named, current: current,
            read: read.map { ($0.exchanges, $0.tokens) })
    }

    /// Refuses to write what exists, or is read.
    private func checkOutput(_ path: String, isOverwriting: Bool, command: String) throws {
        let adapters = (adapters?.names ?? []).map { OutputRule.Input($0, option: "--adapter") }
        try OutputRule.checkFile(
            path, apartFrom: inputs + adapters, isOverwriting: isOverwriting,
            remedy: "choose another name or write over it with \(command) --overwrite FILE")
    }

    /// Takes up a saved session, settings included, in place of this one; template, adapter and
    /// ``ChatSettings/promptLimit`` stay.
    ///
    /// Conversations of another model, adapter, topology or template are taken up too, without the state.
    ///
    /// - Parameter path: The file.
    /// - Returns: What became of the file's state.
    /// - Throws: ``ChatError``, `SequenceStateError`, `SafetensorsError`, `JSONError` or `FileError`; then
    ///   everything is as before.
    @discardableResult
    public func load(from path: String) throws -> LoadedState {
        let file = try SafetensorsFile(path: path)
        guard let text = file.metadata[SavedSession.key] else {
            throw ChatError.notSession(
                file: path, reason: "metadata lack '\(SavedSession.key)'")
        }
        var saved = try SavedSession(
            text, digest: file.metadata[SavedSession.digestKey], file: path)
        let outcome = try takeState(from: file, of: &saved)
        checkTopology()
        saved.settings.promptLimit = settings.promptLimit
        // Changing settings forgets readings and counts, so the rest comes after them.
        settings = saved.settings
        named = saved.branches
        current = saved.current
        drawnReplies = saved.drawnReplies
        files.noteLoaded(path, savedSession)
        return outcome
    }

    /// Gives the state of a file to the saved session's current branch, if it can go on from it.
    private func takeState(
        from file: SafetensorsFile, of saved: inout SavedSession
    ) throws -> LoadedState {
        let fingerprint = model.fingerprint
        if !fingerprint.hasWeights(ofSaved: saved.model) {
            // The ids may be those of another vocabulary.
            for place in saved.branches.indices {
                let count = saved.branches[place].branch.count
                saved.branches[place].branch.answers = [[Int32]?](repeating: nil, count: count)
            }
            return .recomputed(
                reason: "the session is of another model, '\(saved.model)'; "
                    + "this is '\(fingerprint.model)'")
        }
        let vocabulary = model.configuration.vocabulary
        if let id = saved.ids.first(where: { Int($0) >= vocabulary }) {
            throw ChatError.notSession(
                file: file.path, reason: "id is \(id), expected below \(vocabulary)")
        }
        guard saved.model == fingerprint.model else {
            return .recomputed(
                reason: "the session is of this model with "
                    + fingerprint.difference(ofSaved: saved.model))
        }
        guard saved.template == template.name else {
            return .recomputed(
                reason: "the session is written with template '\(saved.template)', "
                    + "this one with '\(template.name)'")
        }
        guard let read = saved.read else { return .recomputed(reason: "the file holds no state") }
        do {
            let state = try SequenceState.read(file, for: model)
            guard state.position == read.tokens.count else {
                throw ChatError.notSession(
                    file: file.path,
                    reason: "the state has read \(state.position) tokens, \(read.tokens.count) are "
                        + "listed")
            }
            saved.branches[saved.current].branch.keep(
                Branch.ReadPoint(exchanges: read.exchanges, tokens: read.tokens, state: state))
            return .kept
        } catch SequenceStateError.mismatch(_, "topology", let found, let expected) {
            return .recomputed(
                reason: "the state is of topology '\(found)', this is '\(expected)'")
        } catch let error as SequenceStateError where error.isOfValues {
            return .recomputed(reason: "\(error)")
        }
    }
}

extension ChatSession {
    /// The current branch as Markdown.
    public func markdown() -> String {
        var parts = transcript.system.map { ["## System", $0] } ?? []
        for exchange in transcript.exchanges {
            parts += ["## User", exchange.question]
            if let answer = exchange.answer { parts += ["## Assistant", answer] }
        }
        return parts.joined(separator: "\n\n") + (parts.isEmpty ? "" : "\n")
    }

    /// The current branch as training data, one JSON object per line, which `mtl-finetune` reads.
    ///
    /// Where the template takes whole conversations, one record of the format `chat`; else an Alpaca record
    /// for each question, which does not hold what the model is told first. The format `chat` has no room for
    /// an empty last answer: turns are left out from the end until one has an answer.
    public func records() -> String {
        let writer = JSONWriter(escapesNonASCII: false)
        let lines =
            template.takesConversations
            ? [conversationRecord].compactMap { $0 } : alpacaRecords
        return lines.map { writer.string(.object($0)) + "\n" }.joined()
    }

    /// Writes the current branch as Markdown (`.md`) or training data (`.jsonl`), all or nothing.
    ///
    /// - Parameters:
    ///   - path: The file. One that exists is replaced if this conversation was exported to it before, or
    ///     if the user says so.
    ///   - isOverwriting: Whether the user says so.
    /// - Throws: ``ChatError``, also where there is nothing to write yet; `OutputError` or `FileError`.
    public func export(to path: String, isOverwriting: Bool = false) throws {
        let isMarkdown = path.hasSuffix(".md")
        guard isMarkdown || path.hasSuffix(".jsonl") else {
            throw ChatError.unknownExport(file: path)
        }
        let text = isMarkdown ? markdown() : records()
        guard !text.isEmpty, !transcript.exchanges.isEmpty else {
            throw ChatError.nothingToExport(file: path)
        }
        try checkOutput(
            path, isOverwriting: isOverwriting || files.ownsExport(path), command: "/export")
        try AtomicFile.write(text, to: path)
        files.noteExported(path)
    }

    private var alpacaRecords: [JSONObject] {
        transcript.exchanges.compactMap { exchange in
            exchange.answer.map {
                [
                    "instruction": .string(exchange.question), "input": "", "output": .string($0),
                ]
            }
        }
    }

    private var conversationRecord: JSONObject? {
        func message(_ role: String, _ content: String) -> JSONValue {
            ["role": .string(role), "content": .string(content)]
        }
        var exchanges = transcript.exchanges[...]
        while let last = exchanges.last, last.answer?.isEmpty ?? true { exchanges.removeLast() }
        guard !exchanges.isEmpty else { return nil }
        let system = transcript.system.map { [message("system", $0)] } ?? []
        let turns = exchanges.flatMap {
            [message("user", $0.question), message("assistant", $0.answer ?? "")]
        }
        return ["messages": .array(system + turns)]
    }
}

/// The files of a conversation, which may be written again without being asked.
struct SessionFiles {
    /// Where the session was saved to, or loaded from, last; `nil` if it has no file.
    private(set) var session: String?
    /// A hash of what is saved there.
    private(set) var savedHash: UInt64?
    private var saved: Set<FileVersion> = []
    private var exported: Set<FileVersion> = []

    /// Whether a path leads to a session that this conversation was saved to, or loaded from.
    fileprivate func ownsSession(_ path: String) -> Bool {
        FileVersion(path).map(saved.contains) ?? false
    }

    /// Whether a path leads to a file that this conversation was exported to.
    fileprivate func ownsExport(_ path: String) -> Bool {
        FileVersion(path).map(exported.contains) ?? false
    }

    /// Notes that a session was saved.
    fileprivate mutating func noteSaved(_ path: String, _ saved: SavedSession) {
        if let version = FileVersion(path) { self.saved.insert(version) }
        session = path
        savedHash = XXH64.hash(saved.text)
    }

    /// Notes that another conversation was loaded.
    fileprivate mutating func noteLoaded(_ path: String, _ saved: SavedSession) {
        self = SessionFiles()
        noteSaved(path, saved)
    }

    /// Notes that the conversation was exported.
    fileprivate mutating func noteExported(_ path: String) {
        if let version = FileVersion(path) { exported.insert(version) }
    }
}
