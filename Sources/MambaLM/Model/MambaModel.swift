import Kernels

/// A Mamba language model: embedding, blocks, final normalisation, output projection.
public final class MambaModel {
    /// The sizes and switches.
    public let configuration: MambaConfiguration
    /// `[vocabulary, model]`.
    public let embeddings: Embedding
    /// The blocks, in order.
    public let blocks: [Block]
    /// `[model]`.
    public let normF: Parameter
    /// `[vocabulary, model]`; shares the embedding's parameter when tied.
    public let lmHead: Linear
    /// How states flow between tokens.
    public var flow: any StateFlow
    /// The processor.
    public let engine: any Engine
    /// How many bytes of input projections training may keep instead of computing them again.
    ///
    /// Changes no result. A projection takes 8 bytes a token and inner channel; blocks whose
    /// projections do not fit compute them a second time in the backward pass.
    public var keptBytes = 320 << 20
    let workspace = Workspace()

    /// Creates a model from its parts.
    public init(
        configuration: MambaConfiguration, embeddings: Embedding, blocks: [Block],
        normF: Parameter, lmHead: Linear, flow: any StateFlow = ChainFlow(), engine: any Engine
    ) {
        (self.configuration, self.embeddings, self.blocks) = (configuration, embeddings, blocks)
        (self.normF, self.lmHead, self.flow, self.engine) = (normF, lmHead, flow, engine)
    }

    /// Whether the output projection shares the embedding's weight.
    public var isTied: Bool { lmHead.weight === embeddings.weight }

    /// Every parameter of the base model once, in the order of a checkpoint.
    public var parameters: [Parameter] {
        [embeddings.weight] + blocks.flatMap(\.parameters) + [normF]
            + (isTied ? [] : [lmHead.weight])
    }

    func pass(dropoutSeed: UInt64? = nil) -> Pass {
        Pass(engine: engine, workspace: workspace, dropoutSeed: dropoutSeed)
    }

    /// Scores tokens given all before them.
    ///
    /// - Parameters:
    ///   - batch: The sequences.
    ///   - scored: What to predict where; each row at most once. The head is computed for these
    ///     rows only.
    /// - Returns: One log-probability each, and whether it was the most likely token.
    public func score(_ batch: TokenBatch, _ scored: [ScoredToken]) -> CrossEntropy.Result {
        let pass = pass()
        let (hidden, _) = hiddenStates(of: batch, keepingStates: false, in: pass)
        var result = CrossEntropy.Result()
        forEachChunk(of: scored) { chunk in
            let logits = logits(of: chunk.map(\.row), hidden: hidden, in: pass).logits
            let part = engine.crossEntropy(
                logits, CrossEntropy.Inputs(targets: chunk.map(\.target)))
            result.logProbabilities += part.logProbabilities
            result.isGreedy += part.isGreedy
        }
        return result
    }

    /// Reads a batch: what each sequence leaves behind, and what it makes likely next.
    ///
    /// - Parameters:
    ///   - batch: The sequences.
    ///   - keepingStates: Whether the states are wanted; then the flow must have a single state
    ///     (``StateFlow/hasSingleState``).
    /// - Returns: One state a sequence, or none; and the logits of the token after each,
    ///   `[sequences, vocabulary]`, in memory that the next call uses again.
    public func read(
        _ batch: TokenBatch, keepingStates: Bool = true
    ) -> (states: [SequenceState], logits: Tensor) {
        precondition(
            !keepingStates || flow.hasSingleState, "\(flow) keeps more than one state a layer")
        let pass = pass()
        let (hidden, states) = hiddenStates(of: batch, keepingStates: keepingStates, in: pass)
        let last = batch.rows.map { $0.upperBound - 1 }
        return (states, logits(of: last, hidden: hidden, in: pass).logits)
    }

    /// Runs all blocks, keeping only the last one's output.
    func hiddenStates(
        of batch: TokenBatch, keepingStates: Bool, in pass: Pass
    ) -> (hidden: Tensor, states: [SequenceState]) {
        let shape = [batch.tokens.count, configuration.model]
        var (input, output) = (
            workspace.tensor("stream.0", shape), workspace.tensor("stream.1", shape)
        )
        embeddings.forward(batch.tokens, into: input, in: pass)
        var layers: [[SequenceState.Layer]] = []
        for block in blocks {
            let run = block.forward(
                input, of: batch, flow: flow, into: output, keepingStates: keepingStates, in: pass)
            if keepingStates { layers.append(run.states) }
            (input, output) = (output, input)
        }
        guard keepingStates else { return (input, []) }
        let states = batch.sequences.indices.map { index in
            SequenceState(
                layers: layers.map { $0[index] },
                position: (batch.sequences[index].state?.position ?? 0)
                    + batch.sequences[index].tokens.count)
        }
        return (input, states)
    }

    /// The logits of some rows of the last block's output.
    ///
    /// - Returns: `rows` gathered, `[rows, model]`; normalised, `[rows, model]`; and projected,
    ///   `[rows, vocabulary]`; all in the workspace.
    func logits(
        of rows: [Int], hidden: Tensor, in pass: Pass
    ) -> (gathered: Tensor, normed: Tensor, logits: Tensor) {
        let shape = [rows.count, configuration.model]
        let gathered = workspace.tensor("head.gathered", shape)
        engine.gatherRows(rows.map(Int32.init), of: hidden, into: gathered)
        let normed = workspace.tensor("head.normed", shape)
        engine.normalize(finalNorm(of: gathered), into: normed)
        let logits = workspace.tensor("head.logits", [rows.count, lmHead.outFeatures])
        lmHead.forward(normed, into: logits, in: pass)
        return (gathered, normed, logits)
    }

    func finalNorm(of x: Tensor) -> RMSNorm.Inputs {
        RMSNorm.Inputs(x: x, weight: normF.value, epsilon: configuration.epsilon)
    }

    /// Calls `body` with pieces of `scored` whose logits are held at once.
    func forEachChunk(of scored: [ScoredToken], _ body: (ArraySlice<ScoredToken>) -> Void) {
        let size = 256
        for start in stride(from: 0, to: scored.count, by: size) {
            body(scored[start..<min(start + size, scored.count)])
        }
    }
}
