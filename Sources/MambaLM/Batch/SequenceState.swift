import Tensors

/// What a model keeps of the tokens it has read: enough to go on, and of fixed size.
///
/// A value: continuing from a state leaves it as it is, so copies may share its memory.
public struct SequenceState {
    /// One block's part.
    public struct Layer {
        /// The last inputs of the convolution, `[convolutionWidth - 1, inner]`.
        public let history: Tensor
        /// The scan's state, `[state, inner]`.
        public let state: Tensor
    }

    /// One part a block.
    public let layers: [Layer]
    /// The number of tokens read.
    public let position: Int

    /// Whether every value is finite, so that something can go on from it.
    public var isFinite: Bool {
        layers.allSatisfy { layer in
            [layer.history, layer.state].allSatisfy { $0.values.allSatisfy(\.isFinite) }
        }
    }

    /// The memory held, in bytes.
    public var bytes: Int {
        layers.reduce(0) { $0 + ($1.history.count + $1.state.count) * MemoryLayout<Float>.stride }
    }
}
