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
        self.weight = weight
        self.bias = bias
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
            x, weight: weight.matrix, plus: adapter?.term(x, in: pass), bias: bias?.value,
            adding: addend, into: y)
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
        guard let gradX else { return parameterGradients(gradY, x: x, in: pass) }
        let gradHidden = adapter?.gradHidden(gradY, in: pass)
        addGradients(gradY, x: x, gradHidden: gradHidden, in: pass)
        guard let adapter, let gradHidden else {
            return pass.engine.linearInputGradient(
                gradY, weight: weight.matrix, adding: addend, into: gradX)
        }
        if let term = fusedInputTerm(gradHidden, in: pass) {
            pass.engine.linearInputGradient(
                gradY, weight: weight.matrix, plus: term, adding: addend, into: gradX)
        } else {
            adapter.inputGradient(gradHidden, adding: addend, into: gradX, in: pass)
            pass.engine.linearInputGradient(
                gradY, weight: weight.matrix, adding: gradX, into: gradX)
        }
    }

    /// Computes the input's gradient alone, where the input is not known yet.
    ///
    /// - Parameters:
    ///   - gradY: `[tokens, out]`.
    ///   - gradX: `[tokens, in]`.
    ///   - pass: The processor and working memory.
    public func inputGradient(_ gradY: Tensor, into gradX: Tensor, in pass: Pass) {
        let gradHidden = adapter?.gradHidden(gradY, in: pass)
        let term = gradHidden.flatMap { fusedInputTerm($0, in: pass) }
        pass.engine.linearInputGradient(
            gradY, weight: weight.matrix, plus: term, adding: nil, into: gradX)
        guard let adapter, let gradHidden, term == nil else { return }
        adapter.inputGradient(gradHidden, adding: gradX, into: gradX, in: pass)
    }

    /// The adapter's part of the input's gradient, where it comes along with the product by the weight.
    private func fusedInputTerm(_ gradHidden: Tensor, in pass: Pass) -> LowRankProduct? {
        guard pass.engine.fusesLowRankProducts(by: weight.matrix) else { return nil }
        return adapter?.inputTerm(gradHidden, in: pass)
    }

    /// Adds to the parameters' gradients alone.
    ///
    /// - Parameters:
    ///   - gradY: `[tokens, out]`.
    ///   - x: The input of the forward pass, `[tokens, in]`.
    ///   - pass: The processor and working memory.
    public func parameterGradients(_ gradY: Tensor, x: Tensor, in pass: Pass) {
        addGradients(gradY, x: x, gradHidden: nil, in: pass)
    }

    private func addGradients(_ gradY: Tensor, x: Tensor, gradHidden: Tensor?, in pass: Pass) {
        if let gradient = weight.gradient {
            pass.engine.linearWeightGradient(gradY, x: x, into: gradient)
        }
        if let gradient = bias?.gradient { pass.engine.biasGradient(gradY, into: gradient) }
        adapter?.addGradients(gradY, x: x, gradHidden: gradHidden, in: pass)
    }
}

/// A trainable product of two matrices, beside a linear layer's weight, of which the first has few rows.
///
/// The rows that lie between both are called hidden.
public protocol LinearAdapter: AnyObject {
    /// The adapter's own parameters.
    var parameters: [Parameter] { get }
    /// What its output is multiplied by, beside the parameters.
    var scaling: Float { get }
    /// How wide the matrices are that it keeps in the pass's buffers.
    var widths: AdapterBuffers.Widths { get }

    /// What is added to the layer's output: factors `[tokens, rank]` and `[out, rank]`.
    ///
    /// - Parameters:
    ///   - x: The layer's input, `[tokens, in]`.
    ///   - pass: The processor, working memory and the seed of dropout.
    /// - Returns: The product, in the pass's buffers.
    func term(_ x: Tensor, in pass: Pass) -> LowRankProduct

    /// The gradient by the hidden rows, `[tokens, rank]`, in the pass's buffers; `gradY` is `[tokens, out]`.
    func gradHidden(_ gradY: Tensor, in pass: Pass) -> Tensor

    /// Adds to the parameters' gradients.
    ///
    /// - Parameters:
    ///   - gradY: `[tokens, out]`.
    ///   - x: The layer's input, `[tokens, in]`.
    ///   - gradHidden: What ``gradHidden(_:in:)`` returned, if it was asked.
    ///   - pass: As in the forward pass.
    func addGradients(_ gradY: Tensor, x: Tensor, gradHidden: Tensor?, in pass: Pass)

    /// The part of the input's gradient that goes through the adapter: factors `[tokens, rank]` and `[rank, in]`.
    ///
    /// - Parameters:
    ///   - gradHidden: `[tokens, rank]`.
    ///   - pass: As in the forward pass.
    /// - Returns: The product; `nil` where elements of it are dropped.
    func inputTerm(_ gradHidden: Tensor, in pass: Pass) -> LowRankProduct?

    /// Computes that part, added to a tensor if one is given.
    ///
    /// - Parameters:
    ///   - gradHidden: `[tokens, rank]`.
    ///   - addend: `[tokens, in]`; may be `gradX` itself.
    ///   - gradX: `[tokens, in]`.
    ///   - pass: As in the forward pass.
    func inputGradient(
        _ gradHidden: Tensor, adding addend: Tensor?, into gradX: Tensor, in pass: Pass)
}

extension Parameter {
    /// The name of the layer whose weight this is.
    var layerName: String { name.hasSuffix(".weight") ? String(name.dropLast(7)) : name }
}

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
    /// How wide the matrices are that it keeps in the pass's buffers.
    var widths: AdapterBuffers.Widths { get }

    /// Adds the adapter's rows of `tokens` to `y`, `[tokens, model]`.
    func add(_ tokens: RowIndices, to y: Tensor, in pass: Pass)

    /// Adds to the gradients of the parameters.
    func backward(_ gradY: Tensor, tokens: RowIndices, in pass: Pass)
}

/// A layer that divides rows by their root mean square; see `RMSNorm`.
public final class Normalization {
    /// `[width]`.
    public let weight: Parameter
    /// Added to the mean square.
    public let epsilon: Float

    /// Creates a layer from its parameter.
    public init(weight: Parameter, epsilon: Float) {
        self.weight = weight
        self.epsilon = epsilon
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

/// What every layer needs in one pass over a batch.
public struct Pass {
    /// The processor.
    public let engine: any Engine
    /// Working memory of the adapters.
    public let buffers: AdapterBuffers
    /// Decides which inputs of adapters are dropped; `nil` when nothing is, as in evaluation.
    public let dropoutSeed: UInt64?

    /// Groups what a pass needs.
    public init(engine: any Engine, buffers: AdapterBuffers, dropoutSeed: UInt64? = nil) {
        self.engine = engine
        self.buffers = buffers
        self.dropoutSeed = dropoutSeed
    }
}

/// Working memory that the adapters of all layers share.
public struct AdapterBuffers {
    /// Between the two factors of a low-rank term, `[tokens, rank]`.
    public let hidden: Buffer
    /// The gradient by ``hidden``.
    public let gradHidden: Buffer
    /// The input with some elements dropped, `[tokens, in]`.
    public let dropped: Buffer
    /// The gradient by ``dropped``, where it cannot go to its place at once.
    public let gradDropped: Buffer

    /// How wide the matrices of an adapter are.
    public struct Widths: Sendable {
        /// Those of ``AdapterBuffers/hidden`` and its gradient.
        public var hidden: Int
        /// Those of ``AdapterBuffers/dropped`` and its gradient; 0 if nothing is dropped.
        public var dropped: Int

        /// Groups the widths.
        public init(hidden: Int = 0, dropped: Int = 0) {
            self.hidden = hidden
            self.dropped = dropped
        }
    }

    /// Creates buffers that hold nothing yet.
    public init(of engine: any Engine) {
        hidden = Buffer(of: engine, columns: 0)
        gradHidden = Buffer(of: engine, columns: 0)
        dropped = Buffer(of: engine, columns: 0)
        gradDropped = Buffer(of: engine, columns: 0)
    }

    /// The memory that they hold, in bytes.
    public var byteCount: Int {
        [hidden, gradHidden, dropped, gradDropped].reduce(0) { $0 + $1.byteCount }
    }

    /// The memory that they hold at most after a training pass, in bytes.
    ///
    /// - Parameters:
    ///   - tokens: The tokens of the pass.
    ///   - widths: Those of all adapters.
    /// - Returns: The bytes.
    public func byteCount(tokens: Int, widths: [Widths]) -> Int {
        let most = Widths(
            hidden: widths.map(\.hidden).max() ?? 0, dropped: widths.map(\.dropped).max() ?? 0)
        return 2 * hidden.byteCount(rows: tokens, columns: most.hidden)
            + 2 * dropped.byteCount(rows: tokens, columns: most.dropped)
    }
}
