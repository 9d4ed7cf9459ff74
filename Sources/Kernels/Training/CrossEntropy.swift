import CKernels

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

        /// Groups the operands; `gradientWeights`, if given, has one value a row.
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

extension CPUEngine {
    /// Scores rows of logits; with weights, replaces the logits by their gradient of the loss.
    public func crossEntropy(_ logits: Tensor, _ x: CrossEntropy.Inputs) -> CrossEntropy.Result {
        precondition(
            x.targets.count == logits.rows
                && x.targets.allSatisfy { $0 >= 0 && Int($0) < logits.columns },
            "\(x.targets.count) targets for logits \(logits.shape)")
        var scores = [mtl_row_score](repeating: mtl_row_score(), count: logits.rows)
        scores.withUnsafeMutableBufferPointer { scores in
            nonisolated(unsafe) let scores = scores
            divide(logits.rows, by: 4) { part, _ in
                for row in part {
                    scores[row] = mtl_cross_entropy(
                        isa, logits.matrix(row: row).start, logits.columns, x.targets[row],
                        x.gradientWeights?[row] ?? 0)
                }
            }
        }
        return CrossEntropy.Result(
            logProbabilities: scores.map(\.log_probability),
            isGreedy: zip(scores, x.targets).map { $0.best == $1 })
    }
}
