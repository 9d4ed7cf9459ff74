import MambaLM

/// How much memory a run will take, by formula.
///
/// With `T` the tokens and `S` the scored tokens computed at once, in values of 4 bytes:
///
///     weights      all parameters of the model, fewer bytes in another format, and the adapter
///     optimizer    3 a trained value: gradient and two moments
///     activations  T · (model · (layers + 1) + 7 · inner + 2 · (stepRank + 2 · state))
///     kept         input projections of as many blocks, T · 2 · inner each, as the model may keep
///     head         min(S, 256) · (vocabulary + 4 · model)
///
/// Memory for activations and head grows with some room to spare, an eighth. The program itself,
/// records and scan states of one block are not counted.
public struct MemoryEstimate: Equatable, Sendable {
    /// The parameters of model and adapter, in bytes.
    public var weights: Int
    /// Gradients and moments, in bytes.
    public var optimizer: Int
    /// What is kept and computed of a batch, in bytes.
    public var activations: Int
    /// The input projections kept for the backward pass, in bytes.
    public var kept: Int
    /// The logits and what belongs to them, in bytes.
    public var head: Int

    /// All together, in bytes.
    public var total: Int { weights + optimizer + activations + kept + head }

    /// Estimates a run.
    ///
    /// - Parameters:
    ///   - configuration: The sizes of the model.
    ///   - modelBytes: The memory of the model's own weights.
    ///   - trainedValues: The number of values that are trained.
    ///   - addedValues: How many of them are not the model's own.
    ///   - tokens: The most tokens computed at once.
    ///   - scoredTokens: The most scored tokens computed at once.
    ///   - keptBytes: How many bytes of input projections the model may keep.
    public init(
        _ configuration: MambaConfiguration, modelBytes: Int, trainedValues: Int, addedValues: Int,
        tokens: Int, scoredTokens: Int, keptBytes: Int
    ) {
        // The blocks' inputs and the last one's output; in one block x and z, u, step, the scan's result, the
        // gradient by it and working memory; dt, B and C with their gradients.
        let perToken =
            configuration.model * (configuration.layers + 1) + 7 * configuration.inner
            + 2 * configuration.projections
        let perScored = configuration.vocabulary + 4 * configuration.model
        weights = modelBytes + 4 * addedValues
        optimizer = 4 * 3 * trainedValues
        activations = 4 * tokens * perToken * 9 / 8
        let projection = 8 * tokens * configuration.inner
        kept = projection * min(keptBytes / max(projection, 1), configuration.layers - 1) * 9 / 8
        head = 4 * min(scoredTokens, 256) * perScored * 9 / 8
    }
}
