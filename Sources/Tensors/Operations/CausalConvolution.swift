/// A depthwise causal convolution followed by SiLU, over every sequence of a batch.
///
///     pre[t] = bias + sum over k of weight[k] * x[t - width + 1 + k]
///     u[t]   = pre[t] / (1 + exp(-pre[t]))
///
/// Tokens before a sequence are zero, or those of its `history`.
///
/// Source: Gu and Dao 2023, "Mamba", section 3.4.
public enum CausalConvolution {
    /// The widest convolution that every engine takes, in tokens.
    public static let greatestWidth = 64

    /// The operands of a whole batch, sequences one after the other.
    public struct Inputs {
        /// `[tokens, channels]`.
        public var x: Tensor
        /// `[channels, 1, width]`.
        public var weight: Tensor
        /// `[channels]`.
        public var bias: Tensor?
        /// The sequences, in order, covering all tokens.
        public var sequences: [Sequence]

        /// Groups the operands.
        public init(x: Tensor, weight: Tensor, bias: Tensor?, sequences: [Sequence]) {
            (self.x, self.weight, self.bias) = (x, weight, bias)
            self.sequences = sequences
        }
    }

    /// One sequence of a batch.
    public struct Sequence {
        /// Its rows in the batch.
        public var rows: Range<Int>
        /// The `width - 1` inputs before the first token, `[width - 1, channels]`; `nil` for zeros.
        public var history: Tensor?

        /// Describes one sequence.
        public init(rows: Range<Int>, history: Tensor? = nil) {
            (self.rows, self.history) = (rows, history)
        }
    }

    /// Where the gradients go: the one of `x` is overwritten, those of the parameters are added to.
    ///
    /// That of `x` may be the memory of `x`, or of the gradient by `u`.
    public struct Gradients {
        /// `[tokens, channels]`.
        public var x: Tensor
        /// `[channels, 1, width]`; `nil` if frozen.
        public var weight: Tensor?
        /// `[channels]`; `nil` if frozen or absent.
        public var bias: Tensor?

        /// Groups the gradients.
        public init(x: Tensor, weight: Tensor?, bias: Tensor?) {
            (self.x, self.weight, self.bias) = (x, weight, bias)
        }
    }
}
