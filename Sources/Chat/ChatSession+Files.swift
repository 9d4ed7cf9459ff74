extension ChatSession {
    /// What a saved session was found to be.
    public enum LoadedState: Equatable, Sendable {
        /// The conversation goes on from the state in the file.
        case kept
        /// The file's state was left aside for this reason; the next turn reads the conversation again.
        case recomputed(reason: String)
    }

    /// Writes all branches, the settings and the current branch's state into one file, all or nothing.
    ///
    /// - Parameter path: The file, replaced if it exists.
    /// - Throws: `FileError`.
    public func save(to path: String) throws {}

    /// Takes up a saved session in place of this one.
    ///
    /// Conversations of another model, adapter, topology or template are taken up too, without the state.
    ///
    /// - Parameter path: The file.
    /// - Returns: What became of the file's state.
    /// - Throws: ``ChatError``, `SafetensorsError` or `FileError`; then everything is as before.
    @discardableResult
    public func load(from path: String) throws -> LoadedState { .kept }

    /// The current branch as Markdown.
    public func markdown() -> String { "" }

    /// The current branch as training data, one JSON object a line, which `mtl-finetune` reads.
    ///
    /// One record, `messages`, where the template takes whole conversations; else an Alpaca record
    /// (`instruction`, `input`, `output`) for each answered question.
    public func records() -> String { "" }

    /// Writes the current branch as Markdown (`.md`) or training data (`.jsonl`).
    ///
    /// - Throws: ``ChatError/unknownExport(file:)`` or `FileError`.
    public func export(to path: String) throws {}
}
