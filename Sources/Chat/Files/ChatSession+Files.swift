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

    /// Writes all branches, the settings and the current branch's state into one file, all or nothing.
    ///
    /// A state is there where a later turn can go on from one: with ``HistoryMode/carry``, and on a chain.
    ///
    /// - Parameter path: The file, replaced if it exists.
    /// - Throws: `FileError`.
    public func save(to path: String) throws {
        let saved = SavedSession(
            model: model.fingerprint.model, template: template.name, settings: settings,
            drawnReplies: drawnReplies, branches: named, current: current)
        let metadata = [SavedSession.key: saved.text]
        if let state = branch.points.last?.state {
            try state.write(to: path, of: model, metadata: metadata)
        } else {
            try SafetensorsWriter.write([], metadata: metadata, to: path) { _, _ in }
        }
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
        var saved = try SavedSession(text, file: path)
        let outcome = try takeState(from: file, of: &saved)
        checkTopology()
        saved.settings.promptLimit = settings.promptLimit
        // Changing settings forgets readings and counts, so the rest comes after them.
        settings = saved.settings
        (named, current) = (saved.branches, saved.current)
        drawnReplies = saved.drawnReplies
        return outcome
    }

    /// Gives the state of a file to the saved session's current branch, if it can go on from it.
    private func takeState(
        from file: SafetensorsFile, of saved: inout SavedSession
    ) throws -> LoadedState {
        let fingerprint = model.fingerprint.model
        guard saved.model == fingerprint else {
            // The ids may be those of another vocabulary.
            for place in saved.branches.indices {
                let count = saved.branches[place].branch.count
                saved.branches[place].branch.answers = [[Int32]?](repeating: nil, count: count)
            }
            return .recomputed(
                reason: "the session is of model '\(saved.model)', this is '\(fingerprint)'")
        }
        let vocabulary = model.configuration.vocabulary
        if let id = saved.ids.first(where: { Int($0) >= vocabulary }) {
            throw ChatError.notSession(
                file: file.path, reason: "id is \(id), expected below \(vocabulary)")
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
        }
    }
}
