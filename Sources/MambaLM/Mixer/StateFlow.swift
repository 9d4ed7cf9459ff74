import Tensors

/// Decides how states flow between the tokens of each sequence, the same in every layer.
///
/// Its description names it and all its settings: two flows of one description give the same states.
public protocol StateFlow: Sendable, CustomStringConvertible {
    /// Lays sequences out and says how states flow in them.
    ///
    /// - Parameters:
    ///   - lengths: The number of tokens of each sequence.
    ///   - promptLengths: How many of the first tokens are the prompt; more than there are mean all.
    /// - Returns: The layout.
    func layout(lengths: [Int], promptLengths: [Int]) -> BatchLayout

    /// Whether a sequence can continue from the single state that ``SequenceState`` keeps.
    var hasSingleState: Bool { get }

    /// Whether it matters which tokens are the prompt; if not, a text may be cut anywhere.
    var dependsOnPrompt: Bool { get }
}

/// Plain Mamba: every state flows to the next token.
public struct ChainFlow: StateFlow {
    /// What the states are multiplied by; 1 for plain Mamba.
    public var gain: Float

    /// Creates a chain.
    public init(gain: Float = 1) { self.gain = gain }

    /// One chain a sequence.
    public func layout(lengths: [Int], promptLengths: [Int]) -> BatchLayout {
        BatchLayout(lengths.map { BatchLayout.Sequence(length: $0, chainGain: gain) })
    }

    /// A chain has one state.
    public var hasSingleState: Bool { true }

    /// A chain is the same in prompt and response.
    public var dependsOnPrompt: Bool { false }

    /// Names the gain.
    public var description: String { "chain, gain \(gain)" }
}
