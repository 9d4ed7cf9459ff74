import Tensors

/// A model to whose layers adapters can be attached.
public protocol AdaptableModel: AnyObject {
    /// The processor.
    var engine: any Engine { get }

    /// Every parameter once, without those of adapters, in the order of a checkpoint.
    var parameters: [Parameter] { get }

    /// The layers that an adapter can be attached to, in the order of the forward pass.
    var adaptableLayers: [AdaptableLayer] { get }

    /// The same model with other values of some layers' weights, and without adapters.
    ///
    /// Parameters that are not replaced are shared with this one.
    ///
    /// - Parameter weights: The values, by the full names of layers.
    /// - Returns: The model.
    func replacing(_ weights: [String: Tensor]) -> Self
}

/// A layer that an adapter can be attached to.
public struct AdaptableLayer {
    /// The two kinds of layers.
    public enum Kind {
        /// Multiplies by a matrix.
        case linear(Linear)
        /// Looks rows up.
        case embedding(Embedding)
    }

    /// The layer's full name, such as `backbone.layers.0.mixer.in_proj`.
    public let name: String
    /// The layer.
    public let kind: Kind
    /// The number of the block that it is in; `nil` outside of blocks.
    public let block: Int?
    /// Whether it computes the model's output, as the projection to the vocabulary does.
    public let isHead: Bool

    /// Describes a layer.
    ///
    /// - Parameters:
    ///   - kind: The layer.
    ///   - name: Its name; that of its weight where none is given.
    ///   - block: The number of its block.
    ///   - isHead: Whether it computes the output.
    public init(_ kind: Kind, name: String? = nil, block: Int? = nil, isHead: Bool = false) {
        self.kind = kind
        self.name =
            name
            ?? {
                switch kind {
                case .linear(let linear): linear.name
                case .embedding(let embedding): embedding.name
                }
            }()
        self.block = block
        self.isHead = isHead
    }

    /// How wide the matrices of the layer's adapter are; `nil` if it has none.
    public var adapterWidths: AdapterBuffers.Widths? {
        switch kind {
        case .linear(let linear): linear.adapter?.widths
        case .embedding(let embedding): embedding.adapter?.widths
        }
    }

    /// The layer's weight.
    public var weight: Parameter {
        switch kind {
        case .linear(let linear): linear.weight
        case .embedding(let embedding): embedding.weight
        }
    }
}

/// A language model as a trainer sees it.
public protocol TrainableModel: AnyObject {
    /// The processor.
    var engine: any Engine { get }

    /// Every parameter once, without those of adapters, in the order of a checkpoint.
    var parameters: [Parameter] { get }

    /// Tells the weights and what is attached to them apart from any others: the same text, the same values.
    var contentFingerprint: String { get }

    /// Adds the gradients of the texts' loss to every trainable parameter.
    ///
    ///     loss = sum over scored tokens of -weight · log p(token | tokens before)
    ///
    /// - Parameters:
    ///   - texts: Computed together.
    ///   - dropoutSeed: Decides what is dropped; give each call of a run its own. `nil` drops nothing.
    /// - Returns: The loss, of which the gradients do not wait.
    func accumulateGradients(of texts: [ScoredText], dropoutSeed: UInt64?) -> Deferred<Double>

    /// The sum over scored tokens of `-log p(token | tokens before)`, with nothing dropped and without weights.
    func negativeLogLikelihood(of texts: [ScoredText]) -> Double

    /// Goes on from a prompt with the most likely token each time; draws nothing, and changes nothing.
    ///
    /// - Parameters:
    ///   - prompt: At least one token.
    ///   - limit: The most tokens of the answer, at least 1.
    ///   - endTokens: What ends it and is no part of it.
    /// - Returns: The answer.
    func likeliestAnswer(to prompt: [Int32], limit: Int, endTokens: Set<Int32>) -> [Int32]

    /// What ``accumulateGradients(of:dropoutSeed:)`` will hold at most beside parameters and gradients.
    ///
    /// - Parameters:
    ///   - tokens: The tokens of the texts, at most.
    ///   - scoredTokens: The scored ones, at most.
    /// - Returns: The memory, in bytes.
    func workingMemory(tokens: Int, scoredTokens: Int) -> WorkingMemory

    /// Writes the model into a folder that exists, all values in single precision.
    func save(folder: String) throws
}

/// A text of which some tokens are predicted.
public struct ScoredText: Equatable, Sendable {
    /// The token ids.
    public var tokens: [Int32]
    /// How many of the first tokens are the prompt.
    public var promptLength: Int
    /// The places of the tokens that are predicted; never the first, which nothing predicts.
    public var scored: Range<Int>
    /// The weight of each of them in the loss.
    public var weight: Float

    /// Describes a text.
    public init(tokens: [Int32], promptLength: Int, scored: Range<Int>, weight: Float = 1) {
        precondition(
            scored.lowerBound >= 1 && scored.upperBound <= tokens.count,
            "tokens \(scored) of \(tokens.count) are scored")
        self.tokens = tokens
        self.promptLength = promptLength
        self.scored = scored
        self.weight = weight
    }
}

/// Memory of intermediate results, in bytes.
public struct WorkingMemory: Equatable, Sendable {
    /// What is kept and computed of a batch.
    public var activations: Int
    /// What is kept for the backward pass and could be computed again.
    public var kept: Int
    /// The logits and what belongs to them.
    public var head: Int

    /// Groups the parts.
    public init(activations: Int, kept: Int, head: Int) {
        self.activations = activations
        self.kept = kept
        self.head = head
    }

    /// All together.
    public var total: Int { activations + kept + head }
}
