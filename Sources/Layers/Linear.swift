import Tensors

/// A linear layer, `y = x · weightᵀ + bias`, to which an adapter may be attached.
public final class Linear {
    /// `[out, in]`.
    public let weight: Parameter
    /// `[out]`.
    public let bias: Parameter?
    /// What is added to the output.
    public var adapter: (any LinearAdapter)?

    /// Creates a layer from its parameters.
    public init(weight: Parameter, bias: Parameter? = nil) {
        (self.weight, self.bias) = (weight, bias)
    }

    /// The layer's name: that of its weight without the ending.
    public var name: String { weight.layerName }

    /// The width of an input row.
    public var inFeatures: Int { weight.shape[1] }
    /// The width of an output row.
    public var outFeatures: Int { weight.shape[0] }

    /// Whether a backward pass through the layer has a parameter's gradient to compute.
    public var isTrainable: Bool {
        weight.isTrainable || bias?.isTrainable == true
            || adapter?.parameters.contains { $0.isTrainable } == true
    }

    /// Computes the output, added to a tensor if one is given.
    ///
    /// - Parameters:
    ///   - x: `[tokens, in]`.
    ///   - addend: `[tokens, out]`; may be `y` itself.
    ///   - y: `[tokens, out]`.
    ///   - pass: The processor and working memory.
    public func forward(
        _ x: Tensor, adding addend: Tensor? = nil, into y: Tensor, in pass: Pass
    ) {
        pass.engine.linear(
            x, weight: weight.matrix, bias: bias?.value, adding: addend, into: y)
        adapter?.add(x, to: y, in: pass)
    }

    /// Adds to the parameters' gradients and computes the input's, added to a tensor if one is given.
    ///
    /// - Parameters:
    ///   - gradY: `[tokens, out]`.
    ///   - x: The input of the forward pass, `[tokens, in]`.
    ///   - addend: `[tokens, in]`; may be `gradX` itself, not `x`.
    ///   - gradX: `[tokens, in]`, may be `x` itself; `nil` if nobody needs it.
    ///   - pass: The processor and working memory.
    public func backward(
        _ gradY: Tensor, x: Tensor, adding addend: Tensor? = nil, into gradX: Tensor?,
        in pass: Pass
    ) {
        addGradients(gradY, x: x, in: pass)
        adapter?.backward(gradY, x: x, adding: addend, into: gradX, in: pass)
        guard let gradX else { return }
        pass.engine.linearInputGradient(
            gradY, weight: weight.matrix, adding: adapter == nil ? addend : gradX, into: gradX)
    }

    /// Computes the input's gradient alone, where the input is not known yet.
    ///
    /// - Parameters:
    ///   - gradY: `[tokens, out]`.
    ///   - gradX: `[tokens, in]`.
    ///   - pass: The processor and working memory.
    public func inputGradient(_ gradY: Tensor, into gradX: Tensor, in pass: Pass) {
        pass.engine.linearInputGradient(
            gradY, weight: weight.matrix, adding: nil, into: gradX)
        adapter?.addInputGradient(gradY, to: gradX, in: pass)
    }

    /// Adds to the parameters' gradients alone.
    ///
    /// - Parameters:
    ///   - gradY: `[tokens, out]`.
    ///   - x: The input of the forward pass, `[tokens, in]`.
    ///   - pass: The processor and working memory.
    public func parameterGradients(_ gradY: Tensor, x: Tensor, in pass: Pass) {
        addGradients(gradY, x: x, in: pass)
        adapter?.backward(gradY, x: x, adding: nil, into: nil, in: pass)
    }

    private func addGradients(_ gradY: Tensor, x: Tensor, in pass: Pass) {
        if let gradient = weight.gradient {
            pass.engine.linearWeightGradient(gradY, x: x, into: gradient)
        }
        if let gradient = bias?.gradient { pass.engine.biasGradient(gradY, into: gradient) }
    }
}

/// Something trainable that is added to a linear layer's output.
public protocol LinearAdapter: AnyObject {
    /// The adapter's own parameters.
    var parameters: [Parameter] { get }
    /// What its output is multiplied by, beside the parameters.
    var scaling: Float { get }

    /// Adds the adapter's output to `y`.
    ///
    /// - Parameters:
    ///   - x: The layer's input, `[tokens, in]`.
    ///   - y: The layer's output, `[tokens, out]`.
    ///   - pass: The processor, working memory and the seed of dropout.
    func add(_ x: Tensor, to y: Tensor, in pass: Pass)

    /// Adds to the parameters' gradients and computes the part of the input's that goes through the adapter.
    ///
    /// - Parameters:
    ///   - gradY: `[tokens, out]`.
    ///   - x: The layer's input, `[tokens, in]`.
    ///   - addend: What is added to the input's gradient, `[tokens, in]`; may be `gradX`, not `x`.
    ///   - gradX: Overwritten, `[tokens, in]`, may be `x`; `nil` if nobody needs it.
    ///   - pass: As in the forward pass.
    func backward(
        _ gradY: Tensor, x: Tensor, adding addend: Tensor?, into gradX: Tensor?, in pass: Pass)

    /// Adds to the gradient of the input alone, where the input is not known yet.
    func addInputGradient(_ gradY: Tensor, to gradX: Tensor, in pass: Pass)
}

extension Parameter {
    /// The name of the layer whose weight this is.
    var layerName: String { name.hasSuffix(".weight") ? String(name.dropLast(7)) : name }
}
