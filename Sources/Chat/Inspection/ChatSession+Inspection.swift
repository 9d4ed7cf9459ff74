import MambaLM

extension ChatSession {
    /// The tokens of a text, as it stands.
    public func tokens(of text: String) -> [TokenPiece] {
        pieces(of: tokenizer.tokenizer.encode(text))
    }

    /// How likely a text is by itself: no template, no prompt.
    ///
    /// - Throws: ``ChatError/emptyPrompt``, ``ChatError/promptTooLong(tokens:limit:)`` or
    ///   ``ChatError/foreignToken(id:vocabulary:)``.
    public func score(_ text: String) throws -> TextScore {
        let tokens = tokenizer.tokenizer.encode(text)
        try check(tokens)
        // Where no state can be handed on, the text is read in one pass.
        if !model.flow.hasSingleState { try checkLength(tokens) }
        return TextScore(
            pieces: pieces(of: tokens), logProbabilities: [nil] + model.score(text: tokens))
    }

    /// The tree that a layer builds over the last prompt.
    ///
    /// - Parameter layer: The layer, from 0.
    /// - Returns: The tree; of a prompt of two tokens or less it is the chain.
    /// - Throws: ``ChatError/unknownLayer(found:layers:)`` or ``ChatError/noTree``.
    public func tree(layer: Int) throws -> PromptTree {
        guard model.blocks.indices.contains(layer) else {
            throw ChatError.unknownLayer(found: layer, layers: model.blocks.count)
        }
        guard model.flow.dependsOnPrompt, !transcript.exchanges.isEmpty else {
            throw ChatError.noTree
        }
        var asked = try askingAgain()
        let last = try prepare(&asked) { _ in }.prompt
        let trees = model.trees(over: last.prompt, after: last.before)
        return PromptTree(
            layer: layer, pieces: pieces(of: last.prompt), parents: trees[layer].parents)
    }

    private func pieces(of tokens: [Int32]) -> [TokenPiece] {
        tokens.map { TokenPiece(id: $0, text: tokenizer.tokenizer.decode([$0])) }
    }
}
