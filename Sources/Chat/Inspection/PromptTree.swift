/// The tree that a layer built over a prompt.
public struct PromptTree: Equatable, Sendable {
    /// The layer, from 0.
    public let layer: Int
    /// The tokens of the prompt.
    public let pieces: [TokenPiece]
    /// The place of each token's parent; -1 for the root, the last token.
    public let parents: [Int]
}
