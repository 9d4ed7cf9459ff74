/// What becomes of the earlier turns of a conversation when the next one comes.
public enum HistoryMode: String, CaseIterable, Sendable {
    /// The whole conversation is one prompt, read anew each turn: exact, as in training.
    ///
    /// On a chain what was read before is not read again, since that changes nothing.
    case recompute
    /// The new turn goes on from the state that the earlier ones left: each turn costs the same,
    /// however long the conversation.
    ///
    /// With the tree, each turn's new text is a prompt with a tree of its own; see
    /// `docs/guide-chat.md`.
    case carry
}
