import CKernels
import Tensors

extension CPUEngine {
    /// Scores rows of logits; with weights, replaces the logits by their gradient of the loss.
    public func crossEntropy(
        _ logits: Tensor, _ x: CrossEntropy.Inputs
    ) -> Deferred<CrossEntropy.Result> {
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
        return Deferred(
            CrossEntropy.Result(
                logProbabilities: scores.map(\.log_probability),
                isGreedy: zip(scores, x.targets).map { $0.best == $1 }))
    }
}
