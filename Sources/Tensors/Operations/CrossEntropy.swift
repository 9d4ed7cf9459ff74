/// The log-probability of a target in every row of logits.
///
///     logProbability = logits[target] - log(sum over v of exp(logits[v]))
///
/// The loss is the sum over rows of `-weight · logProbability`.
public enum CrossEntropy {
    /// What is asked of each row.
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
            (self.targets, self.gradientWeights) = (targets, gradientWeights)
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
            (self.logProbabilities, self.isGreedy) = (logProbabilities, isGreedy)
        }
    }
}
