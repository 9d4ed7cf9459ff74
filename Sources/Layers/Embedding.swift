import Tensors

/// The table of token vectors, to which an adapter may be attached.
public final class Embedding {
    /// `[vocabulary, model]`.
    public let weight: Parameter
    /// What is added to the rows that are looked up.
    public var adapter: (any EmbeddingAdapter)?

    /// Creates an embedding from its table.
    public init(weight: Parameter) { self.weight = weight }

    /// The layer's name: that of its weight without the ending.
    public var name: String { weight.layerName }

    /// Whether a backward pass has a gradient to compute.
    public var isTrainable: Bool {
        weight.isTrainable || adapter?.parameters.contains { $0.isTrainable } == true
    }

    /// Looks the vectors of `tokens` up, into `[tokens, model]`.
    public func forward(_ tokens: RowIndices, into y: Tensor, in pass: Pass) {
        pass.engine.gatherRows(tokens, of: weight.matrix, into: y)
        adapter?.add(tokens, to: y, in: pass)
    }

    /// Adds to the gradients.
    public func backward(_ gradY: Tensor, tokens: RowIndices, in pass: Pass) {
        if let gradient = weight.gradient {
            pass.engine.scatterAddRows(gradY, to: tokens, of: gradient)
        }
        adapter?.backward(gradY, tokens: tokens, in: pass)
    }
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
