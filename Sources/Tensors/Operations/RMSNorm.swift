/// Root-mean-square normalisation of rows.
///
///     y = weight * x / sqrt(mean(x * x) + epsilon)
///
/// Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", equation 4.
public enum RMSNorm {
    /// The operands.
    public struct Inputs {
        /// `[rows, width]`.
        public var x: Tensor
        /// `[width]`.
        public var weight: Tensor
        /// Added to the mean square.
        public var epsilon: Float

        /// Groups the operands.
        public init(x: Tensor, weight: Tensor, epsilon: Float) {
            (self.x, self.weight, self.epsilon) = (x, weight, epsilon)
        }
    }

    /// Where the gradients go.
    public struct Gradients {
        /// Overwritten, `[rows, width]`; may be the memory of any operand.
        public var x: Tensor
        /// Added to, `[width]`; `nil` if the weight is frozen.
        public var weight: Tensor?

        /// Groups the gradients.
        public init(x: Tensor, weight: Tensor?) { (self.x, self.weight) = (x, weight) }
    }
}
