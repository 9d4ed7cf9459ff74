import Kernels

/// Decides, layer by layer, how states flow between the tokens of each sequence.
public protocol StateFlow: Sendable {
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
}
