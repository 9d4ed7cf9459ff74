import CKernels
import Glibc
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

extension CPUEngine {
    /// Updates a parameter and its moments; all are contiguous and of one size.
    public func adamW(
        _ step: AdamW, parameter: Tensor, gradient: Tensor, moments: AdamW.Moments
    ) {
        let tensors = [parameter, gradient, moments.first, moments.second]
        precondition(
            tensors.allSatisfy { $0.count == parameter.count && $0.isContiguous },
            "parameter is \(parameter.shape), gradient is \(gradient.shape)")
        let power = Double(step.step)
        let update = mtl_adamw(
            gradient_scale: step.gradientScale,
            decay: Float(1 - step.learningRate * step.weightDecay), beta1: Float(step.beta1),
            beta2: Float(step.beta2),
            step_size: Float(step.learningRate / (1 - pow(step.beta1, power))),
            root_correction: Float((1 - pow(step.beta2, power)).squareRoot()),
            epsilon: Float(step.epsilon))
        divide(parameter.count, by: 16384) { part, _ in
            let from = part.lowerBound
            withUnsafePointer(to: update) {
                mtl_adamw_step(
                    isa, $0, parameter.base + from, gradient.base + from,
                    moments.first.base + from, moments.second.base + from, part.count)
            }
        }
    }

    /// The sums of the tensors' squares, added in order.
    public func sumOfSquares(_ tensors: [Tensor]) -> Deferred<Double> {
        Deferred(tensors.reduce(0) { $0 + sumOfSquares($1) })
    }

    private func sumOfSquares(_ x: Tensor) -> Double {
        precondition(x.isContiguous, "shape \(x.shape) has rows \(x.rowStride) apart")
        let size = 65536
        var sums = [Double](repeating: 0, count: (x.count + size - 1) / size)
        sums.withUnsafeMutableBufferPointer { sums in
            nonisolated(unsafe) let sums = sums
            divide(x.count, by: size) { part, _ in
                sums[part.lowerBound / size] = mtl_sum_of_squares(
                    isa, x.base + part.lowerBound, part.count)
            }
        }
        return sums.reduce(0, +)
    }
}
