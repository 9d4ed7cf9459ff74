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
        settings.limit = limit
        settings.endTokens = endTokens
        let generation = Generation(of: self, after: readPrompt(prompt), settings)
        while !generation.next().isEmpty {}
        return generation.texts[0].tokens
    }

    /// What the buffers will hold, and what products by weights take; scan states of one block are not counted.
    public func workingMemory(tokens: Int, scoredTokens: Int) -> WorkingMemory {
        let widths = adaptableLayers.compactMap(\.adapterWidths)
        let trainsStates = blocks.contains { $0.mixer.ALog.isTrainable }
        let head = min(scoredTokens, Self.chunkRows)
        // The widest: a projection's gradient and, of scored rows, that of the logits.
        let product = max(
            engine.productBytes(
                rows: tokens, depth: 2 * configuration.inner,
                format: blocks[0].mixer.inProj.weight.matrix.format),
            engine.productBytes(
                rows: head, depth: configuration.vocabulary, format: lmHead.weight.matrix.format))
        return WorkingMemory(
            activations: buffers.stream.byteCount(
                tokens: tokens, wanted: scoredTokens, layers: blocks.count)
                + buffers.mixer.byteCount(tokens: tokens, trainsStates: trainsStates)
                + buffers.adapters.byteCount(tokens: tokens, widths: widths) + product,
            kept: buffers.stream.projections.byteCount(
                rows: keptCount(tokens: tokens) * tokens),
            head: buffers.head.byteCount(rows: head))
    }

    /// What the buffers hold now.
    package var heldMemory: WorkingMemory { buffers.held }
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
