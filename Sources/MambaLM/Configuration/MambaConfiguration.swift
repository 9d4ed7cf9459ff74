/// The sizes and switches of a Mamba language model.
///
/// Defaults are those of the official configuration class.
public struct MambaConfiguration: Equatable, Sendable {
    /// The number of token ids.
    public var vocabulary = 50280
    /// The width of the residual stream.
    public var model = 768
    /// The number of blocks.
    public var layers = 32
    /// The number of channels of a mixer.
    public var inner = 1536
    /// The number of states a channel.
    public var state = 16
    /// The width of the causal convolution, in tokens.
    public var convolutionWidth = 4
    /// The rank of the step projection.
    public var stepRank = 48
    /// Added to the mean square in every normalisation.
    public var epsilon: Float = 1e-5
    /// Whether `in_proj` and `out_proj` have biases.
    public var hasBias = false
    /// Whether the convolution has a bias.
    public var hasConvolutionBias = true
    /// Whether the output projection shares the embedding's weight.
    public var tiesEmbeddings = true
    /// The tokens that end a text; none where the file says null.
    public var endTokens: [Int32] = [0]
    /// Further tokens that end what is generated, those of `generation_config.json`.
    public var generationEndTokens: [Int32] = []
    /// How fresh weights are drawn.
    public var initialization = Initialization()
    /// What it was read from, for ``json``; nil if it was not.
    public var origin: Origin?

    /// How fresh weights are drawn.
    public struct Initialization: Equatable, Sendable {
        /// The standard deviation of the embedding.
        public var range: Float = 0.1
        /// A factor on the bound of the step projection's weights.
        public var stepScale: Float = 1
        /// The least step after softplus.
        public var stepLeast: Float = 0.001
        /// The greatest step after softplus.
        public var stepGreatest: Float = 0.1
        /// A floor under the drawn step.
        public var stepFloor: Float = 1e-4
        /// Whether the step projection starts from one constant instead of a uniform draw.
        public var hasConstantSteps = false
        /// Whether `out_proj` is divided by the root of the number of blocks.
        public var rescalesResidual = false
    }

    /// Creates the official defaults, to be changed field by field.
    public init() {}

    /// The width of `x_proj`'s output: step rank, then `B`, then `C`.
    public var projections: Int { stepRank + 2 * state }

    /// The number of weights of the model.
    public var parameterCount: Int {
        func count(_ tensors: [MambaTensor]) -> Int {
            tensors.reduce(0) { $0 + $1.shape(self).reduce(1, *) }
        }
        let block: [MambaTensor] =
            [.norm, .inProj, .convolution, .xProj, .dtProj, .dtProjBias, .ALog, .D, .outProj]
            + (hasBias ? [.inProjBias, .outProjBias] : [])
            + (hasConvolutionBias ? [.convolutionBias] : [])
        return count([.embeddings, .normF] + (tiesEmbeddings ? [] : [.lmHead]))
            + layers * count(block)
    }
}
