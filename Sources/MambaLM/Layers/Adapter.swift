import Tensors

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

/// Something trainable that is added to what an embedding looks up.
public protocol EmbeddingAdapter: AnyObject {
    /// The adapter's own parameters.
    var parameters: [Parameter] { get }
    /// What its output is multiplied by, beside the parameters.
    var scaling: Float { get }

    /// Adds the adapter's rows of `tokens` to `y`, `[tokens, model]`.
    func add(_ tokens: RowIndices, to y: Tensor, in pass: Pass)

    /// Adds to the gradients of the parameters.
    func backward(_ gradY: Tensor, tokens: RowIndices, in pass: Pass)
}
