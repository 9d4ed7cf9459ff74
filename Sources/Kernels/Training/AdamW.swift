import CKernels
import Glibc

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
        (self.learningRate, self.beta1, self.beta2) = (learningRate, beta1, beta2)
        (self.epsilon, self.weightDecay) = (epsilon, weightDecay)
        (self.gradientScale, self.step) = (gradientScale, step)
    }

    /// The running averages of one parameter's gradient and of its square, of the parameter's shape.
    public struct Moments {
        /// The average of the gradient.
        public var first: Tensor
        /// The average of the squared gradient.
        public var second: Tensor

        /// Groups the moments.
        public init(first: Tensor, second: Tensor) { (self.first, self.second) = (first, second) }
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

    /// The sum of the squares of a contiguous tensor.
    public func sumOfSquares(_ x: Tensor) -> Double {
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
