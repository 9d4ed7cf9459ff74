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
    func checkOutput(_ path: String, isOverwriting: Bool, command: String) throws {
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
        (named, current) = (saved.branches, saved.current)
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
