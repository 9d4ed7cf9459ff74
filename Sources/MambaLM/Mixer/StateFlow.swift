import Tensors

/// Decides, layer by layer, how states flow between the tokens of each sequence.
///
/// Its description names it and all its settings: two flows of one description give the same states.
public protocol StateFlow: Sendable, CustomStringConvertible {
    /// Describes the flow of every sequence of a batch.
    ///
    /// - Parameters:
    ///   - batch: The sequences, their prompts and the states that they continue from.
    ///   - operands: The layer's operands, from which a topology may be built; their `sequences` are
    ///     not set yet.
    ///   - engine: For work over all tokens.
    /// - Returns: One description a sequence, in order, without initial and final states.
    func sequences(
        of batch: TokenBatch, operands: SelectiveScan.Inputs, engine: any Engine
    ) -> [SelectiveScan.Sequence]

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
    public func sequences(
        of batch: TokenBatch, operands: SelectiveScan.Inputs, engine: any Engine
    ) -> [SelectiveScan.Sequence] {
        batch.rows.map { SelectiveScan.Sequence(rows: $0, chainGain: gain) }
    }

    /// A chain has one state.
    public var hasSingleState: Bool { true }

    /// A chain is the same in prompt and response.
    public var dependsOnPrompt: Bool { false }

    /// Names the gain.
    public var description: String { "chain, gain \(gain)" }
}
