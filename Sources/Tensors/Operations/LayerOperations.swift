/// A product whose factors share a short side, the rank, and which is added to another product.
///
/// Source: Hu et al. 2021, "LoRA", equation 3.
public struct LowRankProduct {
    /// `[tokens, rank]`.
    public var left: Tensor
    /// The other factor, as a weight lies beside which the product stands.
    public var right: Tensor

    /// Groups the factors.
    public init(left: Tensor, right: Tensor) {
        self.left = left
        self.right = right
    }
}

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
            self.x = x
            self.weight = weight
            self.epsilon = epsilon
        }
    }

    /// Where the gradients go.
    public struct Gradients {
        /// Overwritten, `[rows, width]`; may be the memory of any operand.
        public var x: Tensor
        /// Added to, `[width]`; `nil` if the weight is frozen.
        public var weight: Tensor?

        /// Groups the gradients.
        public init(x: Tensor, weight: Tensor?) {
            self.x = x
            self.weight = weight
        }
    }
}

/// A depthwise causal convolution followed by SiLU, over every sequence of a batch.
///
///     pre[t] = bias + sum over k of weight[k] * x[t - width + 1 + k]
///     u[t]   = pre[t] / (1 + exp(-pre[t]))
///
/// Tokens before a sequence are zero, or those of its history.
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
        /// The sequences, which cover all tokens.
        public var layout: BatchLayout
        /// The `width - 1` inputs before the first token of each sequence, `[width - 1, channels]`, `nil` for zeros;
        /// none at all where all are zero.
        public var histories: [Tensor?]

        /// Groups the operands.
        public init(
            x: Tensor, weight: Tensor, bias: Tensor?, layout: BatchLayout, histories: [Tensor?] = []
        ) {
            self.x = x
            self.weight = weight
            self.bias = bias
            self.layout = layout
            self.histories = histories
        }

        /// The inputs before a sequence; `nil` for zeros.
        public func history(of sequence: Int) -> Tensor? {
            histories.isEmpty ? nil : histories[sequence]
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
            self.x = x
            self.weight = weight
            self.bias = bias
        }
    }
}

/// Which elements of a matrix are dropped, and what the others are multiplied by.
///
///     y[row, column] = 0 with the given probability, else x[row, column] / (1 - probability)
///
/// The choice is a hash of the seed, the name and the place: the same whenever it is asked for, in
/// any order and by any number of threads, so that a pass that is computed again drops the same
/// elements, and the gradient is the same function of the gradient by `y`.
///
/// Source: Srivastava et al. 2014, "Dropout", in the inverted form that leaves evaluation as it is.
public struct Dropout: Equatable, Sendable {
    /// The probability that an element is dropped, in [0, 1).
    public let probability: Float
    /// What the hash of a place begins with.
    package let key: UInt64

    /// Chooses the elements.
    ///
    /// - Parameters:
    ///   - probability: In [0, 1).
    ///   - seed: Decides, with `name`, which elements are dropped.
    ///   - name: Tells the places apart that share a seed.
    public init(probability: Float, seed: UInt64, name: String) {
        precondition(
            probability >= 0 && probability < 1, "probability is \(probability), expected [0, 1)")
        self.probability = probability
        // FNV-1a, spelt out: what Storage has of it is not known this far down.
        let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        self.key = Dropout.mix(seed) ^ hash
    }

    /// The output function of SplitMix64.
    package static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
