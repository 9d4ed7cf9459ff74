/// The log-probability of a target in every row of logits.
///
///     logProbability = logits[target] - log(sum over v of exp(logits[v]))
///
/// The loss is the sum over rows of `-weight · logProbability`.
public enum CrossEntropy {
    /// What is asked of each row.
    ///
    /// In the host's memory: a few bytes a row that are made for one call and read by it alone, so that an engine of
    /// another memory has nothing to keep of them.
    public struct Inputs {
        /// The class each row should name.
        public var targets: [Int32]
        /// The weight of each row in the loss; `nil` leaves the logits as they are.
        public var gradientWeights: [Float]?

        /// Groups the operands; `gradientWeights`, if given, has one value per row.
        public init(targets: [Int32], gradientWeights: [Float]? = nil) {
            precondition(
                gradientWeights.map { $0.count == targets.count } ?? true,
                "\(targets.count) targets, \(gradientWeights?.count ?? 0) weights")
            self.targets = targets
            self.gradientWeights = gradientWeights
        }
    }

    /// The scores of the rows.
    public struct Result {
        /// The natural logarithm of each target's probability.
        public var logProbabilities: [Double]
        /// Whether each target has the row's largest logit (the first, if several are equal).
        public var isGreedy: [Bool]

        /// Groups the scores of some rows.
        public init(logProbabilities: [Double] = [], isGreedy: [Bool] = []) {
            self.logProbabilities = logProbabilities
            self.isGreedy = isGreedy
        }
    }
}

/// One step of AdamW, with decoupled weight decay.
///
///     m = beta1 * m + (1 - beta1) * g;   v = beta2 * v + (1 - beta2) * g * g
///     p = p * (1 - rate * decay) - rate / (1 - beta1^k) * m / (sqrt(v / (1 - beta2^k)) + epsilon)
///
/// Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2; the order of
/// operations is PyTorch's.
public struct AdamW: Sendable {
    /// The learning rate of this step.
    public var learningRate: Double
    /// The decay of the first moment, in [0, 1).
    public var beta1: Double
    /// The decay of the second moment, in [0, 1).
    public var beta2: Double
    /// Added to the root of the second moment.
    public var epsilon: Double
    /// The decoupled weight decay.
    public var weightDecay: Double
    /// What gradients are multiplied by first, to clip them.
    public var gradientScale: Float
    /// The number of this step, from 1.
    public var step: Int

    /// Describes one step.
    public init(
        learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
        gradientScale: Float, step: Int
    ) {
        precondition(step >= 1, "step is \(step), expected at least 1")
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.gradientScale = gradientScale
        self.step = step
    }

    /// The running averages of one parameter's gradient and of its square, of the parameter's shape.
    public struct Moments {
        /// The average of the gradient.
        public var first: Tensor
        /// The average of the squared gradient.
        public var second: Tensor

        /// Groups the moments.
        public init(first: Tensor, second: Tensor) {
            self.first = first
            self.second = second
        }
    }
}
