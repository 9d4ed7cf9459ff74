extension ChatSession {
    /// The tokens of a text, as it stands.
    public func tokens(of text: String) -> [TokenPiece] { [] }

    /// How likely a text is by itself: no template, no prompt, read as a chain.
    ///
    /// - Throws: ``ChatError/emptyPrompt``.
    public func score(_ text: String) throws -> TextScore {
        throw ChatError.emptyPrompt
    }

    /// The tree that a layer builds over the last prompt.
    ///
    /// - Parameter layer: The layer, from 0.
    /// - Returns: The tree; of a prompt of two tokens or less it is the chain.
    /// - Throws: ``ChatError/unknownLayer(found:layers:)`` or ``ChatError/noTree``.
    public func tree(layer: Int) throws -> PromptTree {
        throw ChatError.noTree
    }
}
