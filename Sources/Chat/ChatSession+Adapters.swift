extension ChatSession {
    /// Lets the model act without its adapter; topology and template stay.
    ///
    /// What was read with it counts no more: the next turn reads the whole conversation again.
    ///
    /// - Throws: ``ChatError/noAdapter``.
    public func turnAdapterOff() throws {}

    /// Lets an adapter act again; see ``turnAdapterOff()``.
    ///
    /// - Parameter name: One of the loaded ones; `nil` for the one that acted last.
    /// - Throws: ``ChatError``.
    public func turnAdapterOn(_ name: String? = nil) throws {}

    /// Reads an adapter, which then acts, with the topology and the template that it was trained with.
    ///
    /// - Parameter folder: Its folder.
    /// - Throws: What is wrong with its files; then everything is as before.
    public func loadAdapter(_ folder: String) throws {}

    /// Answers a question twice, without adapter and with it, with the same random numbers, topology and
    /// template; adds nothing to the conversation.
    ///
    /// - Parameters:
    ///   - question: What the user says; `nil` for the last question, in its place in the conversation.
    ///   - isCancelled: Asked before each token; true ends both answers.
    ///   - onText: Called with whether the adapter acts and the next piece.
    /// - Returns: Both answers.
    /// - Throws: ``ChatError/noAdapter`` and others.
    public func compare(
        _ question: String? = nil, isCancelled: () -> Bool = { false },
        onText: (Bool, String) -> Void = { _, _ in }
    ) throws -> (off: Reply, on: Reply) {
        (Reply(), Reply())
    }
}
