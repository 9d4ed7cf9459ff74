import Layers
import Tensors

extension MambaModel: AdaptableModel {
    /// The embedding, the projections of every mixer, and the output projection, which is named by its place: its
    /// weight may be the embedding's.
    public var adaptableLayers: [AdaptableLayer] {
        let linears = blocks.flatMap { block in
            block.mixer.linears.map { AdaptableLayer(.linear($0), block: block.layer) }
        }
        return [AdaptableLayer(.embedding(embeddings))] + linears
            + [AdaptableLayer(.linear(lmHead), name: Self.headName, isHead: true)]
    }

    private static let headName = "lm_head"

    /// A model with other values of some weights.
    ///
    /// Where embedding and output projection share a weight and one is replaced, they have one each in the result,
    /// whose configuration says so.
    public func replacing(_ weights: [String: Tensor]) -> MambaModel {
        func weight(_ base: Parameter, of layer: String) -> Parameter {
            guard let value = weights[layer] else { return base }
            return Parameter(name: base.name, role: base.role, value: value)
        }
        func linear(_ base: Linear) -> Linear {
            Linear(weight: weight(base.weight, of: base.name), bias: base.bias)
        }
        let embeddings = Embedding(weight: weight(self.embeddings.weight, of: self.embeddings.name))
        let blocks = self.blocks.map { block in
            let mixer = block.mixer
            return Block(
                layer: block.layer, norm: block.norm,
                mixer: Mixer(
                    inProj: linear(mixer.inProj), convolution: mixer.convolution,
                    convolutionBias: mixer.convolutionBias, xProj: linear(mixer.xProj),
                    dtProj: linear(mixer.dtProj), ALog: mixer.ALog, D: mixer.D,
                    outProj: linear(mixer.outProj)))
        }
        var head = weight(lmHead.weight, of: Self.headName)
        var configuration = configuration
        if isTied, head !== embeddings.weight {
            configuration.tiesEmbeddings = false
            head = Parameter(
                name: MambaTensor.lmHead.name(), role: head.role, matrix: head.matrix)
        }
        return MambaModel(
            configuration: configuration, embeddings: embeddings, blocks: blocks, normF: normF,
            lmHead: Linear(weight: head, bias: lmHead.bias), flow: flow, engine: engine)
    }
}

extension MambaModel: TrainableModel {
    /// That of the model's fingerprint, whatever the topology.
    public var contentFingerprint: String { fingerprint.model }

    /// See ``accumulateGradients(of:_:dropoutSeed:)``.
    public func accumulateGradients(
        of texts: [ScoredText], dropoutSeed: UInt64?
    ) -> Deferred<Double> {
        let (batch, scored) = TokenBatch.scoring(texts)
        return accumulateGradients(of: batch, scored, dropoutSeed: dropoutSeed)
    }

    /// See ``score(_:_:)``.
    public func negativeLogLikelihood(of texts: [ScoredText]) -> Double {
        let (batch, scored) = TokenBatch.scoring(texts)
        return score(batch, scored).logProbabilities.reduce(0, -)
    }

    /// See ``Generation``.
    public func likeliestAnswer(
        to prompt: [Int32], limit: Int, endTokens: Set<Int32>
    ) -> [Int32] {
        var settings = Generation.Settings()
        settings.sampling.temperature = 0
        settings.sampling.repetitionPenalty = 1
        (settings.limit, settings.endTokens) = (limit, endTokens)
        let generation = Generation(of: self, after: readPrompt(prompt), settings)
        while !generation.next().isEmpty {}
        return generation.texts[0].tokens
    }

    /// The memory by formula.
    ///
    /// With `T` the tokens and `S` the scored ones, in values of 4 bytes:
    ///
    ///     activations  T · (model · (layers + 1) + 7 · inner + 2 · (stepRank + 2 · state))
    ///     kept         input projections of as many blocks, T · 2 · inner each, as ``keptBytes`` allows
    ///     head         min(S, 256) · (vocabulary + 4 · model)
    ///
    /// and what products by weights take, the largest of them. Memory grows with some room to spare, an eighth. Scan states of one block are not counted.
    public func workingMemory(tokens: Int, scoredTokens: Int) -> WorkingMemory {
        // The blocks' inputs and the last one's output; in one block x and z, u, step, the scan's result, the
        // gradient by it and working memory; dt, B and C with their gradients.
        let x = configuration
        let perToken = x.model * (x.layers + 1) + 7 * x.inner + 2 * x.projections
        let projection = 8 * tokens * x.inner
        // The widest products: a projection's gradient and, of scored rows, that of the logits.
        let head = min(scoredTokens, 256)
        let product = max(
            engine.productBytes(
                rows: tokens, depth: 2 * x.inner,
                format: blocks[0].mixer.inProj.weight.matrix.format),
            engine.productBytes(
                rows: head, depth: x.vocabulary, format: lmHead.weight.matrix.format))
        return WorkingMemory(
            activations: 4 * tokens * perToken * 9 / 8 + product,
            kept: projection * min(keptBytes / max(projection, 1), x.layers - 1) * 9 / 8,
            head: 4 * head * (x.vocabulary + 4 * x.model) * 9 / 8)
    }
}

extension TokenBatch {
    /// Texts laid out one after the other, and what is to be predicted of them, in order.
    static func scoring(_ texts: [ScoredText]) -> (batch: TokenBatch, scored: [ScoredToken]) {
        let batch = TokenBatch(
            texts.map { Sequence(tokens: $0.tokens, promptLength: $0.promptLength) })
        let scored = zip(texts, batch.rows).flatMap { text, rows in
            text.scored.map {
                ScoredToken(
                    row: rows.lowerBound + $0 - 1, target: text.tokens[$0], weight: text.weight)
            }
        }
        return (batch, scored)
    }
}
