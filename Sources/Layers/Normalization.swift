import Tensors

/// A layer that divides rows by their root mean square; see `RMSNorm`.
public final class Normalization {
    /// `[width]`.
    public let weight: Parameter
    /// Added to the mean square.
    public let epsilon: Float

    /// Creates a layer from its parameter.
    public init(weight: Parameter, epsilon: Float) {
        (self.weight, self.epsilon) = (weight, epsilon)
    }

    /// Whether a backward pass has the parameter's gradient to compute.
    public var isTrainable: Bool { weight.isTrainable }

    /// Normalises rows.
    ///
    /// - Parameters:
    ///   - x: `[rows, width]`.
    ///   - y: `[rows, width]`; may be `x`.
    ///   - pass: The processor and working memory.
    public func forward(_ x: Tensor, into y: Tensor, in pass: Pass) {
        pass.engine.normalize(inputs(x), into: y)
    }

    /// Adds to the parameter's gradient and computes the input's, added to a tensor if one is given.
    ///
    /// - Parameters:
    ///   - gradY: `[rows, width]`.
    ///   - x: The input of the forward pass, `[rows, width]`.
    ///   - addend: `[rows, width]`; `nil` for nothing.
    ///   - gradX: `[rows, width]`; may be any of the others.
    ///   - pass: The processor and working memory.
    public func backward(
        _ gradY: Tensor, x: Tensor, adding addend: Tensor? = nil, into gradX: Tensor, in pass: Pass
    ) {
        pass.engine.normalizeBackward(
            inputs(x), gradY: gradY, adding: addend,
            into: RMSNorm.Gradients(x: gradX, weight: weight.gradient))
    }

    private func inputs(_ x: Tensor) -> RMSNorm.Inputs {
        RMSNorm.Inputs(x: x, weight: weight.value, epsilon: epsilon)
    }
}
