import Layers
import Tensors

/// A Mamba language model: embedding, blocks, final normalisation, output projection.
public final class MambaModel {
    /// The sizes and switches.
    public let configuration: MambaConfiguration
    /// `[vocabulary, model]`.
    public let embeddings: Embedding
    /// The blocks, in order.
    public let blocks: [Block]
    /// Before the output projection.
    public let normF: Normalization
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
    let workspace: Workspace

    /// Creates a model from its parts.
    public init(
        configuration: MambaConfiguration, embeddings: Embedding, blocks: [Block],
        normF: Normalization, lmHead: Linear, flow: any StateFlow = ChainFlow(), engine: any Engine
    ) {
        (self.configuration, self.embeddings, self.blocks) = (configuration, embeddings, blocks)
        (self.normF, self.lmHead, self.flow, self.engine) = (normF, lmHead, flow, engine)
        workspace = Workspace(of: engine)
    }

    /// Whether the output projection shares the embedding's weight.
    public var isTied: Bool { lmHead.weight === embeddings.weight }

    /// Every parameter of the base model once, in the order of a checkpoint.
    public var parameters: [Parameter] {
        [embeddings.weight] + blocks.flatMap(\.parameters) + [normF.weight]
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
        let (hidden, _) = hiddenStates(
            of: batch, rows: RowIndices(scored.map { Int32($0.row) }), keepingStates: false,
            in: pass
        ) { _ in }
        let parts = mapChunks(of: scored.count) { chunk in
            engine.crossEntropy(
                logits(of: hidden.rows(chunk), in: pass).logits,
                CrossEntropy.Inputs(targets: scored[chunk].map(\.target)))
        }
        return CrossEntropy.Result(
            logProbabilities: parts.flatMap(\.value.logProbabilities),
            isGreedy: parts.flatMap(\.value.isGreedy))
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
        read(batch, keepingStates: keepingStates, beforeBlock: { _ in })
    }

    /// Reads a batch, unless what is called with the number of each block before it runs throws.
    func read(
        _ batch: TokenBatch, keepingStates: Bool, beforeBlock: (Int) throws -> Void
    ) rethrows -> (states: [SequenceState], logits: Tensor) {
        let pass = pass()
        let (hidden, states) = try hiddenStates(
            of: batch, rows: RowIndices(batch.rows.map { Int32($0.upperBound - 1) }),
            keepingStates: keepingStates, in: pass, beforeBlock: beforeBlock)
        return (states, logits(of: hidden, in: pass).logits)
    }

    /// Runs all blocks, keeping only the last one's output.
    ///
    /// - Parameters:
    ///   - batch: The sequences.
    ///   - rows: The rows of the last block's output that are wanted; it projects no others.
    ///   - keepingStates: Whether the states are wanted; then the flow must have a single state.
    ///   - pass: The processor and working memory.
    ///   - beforeBlock: Called with the number of each block before it runs; what it throws ends the run.
    /// - Returns: The last block's output, `[rows, model]`, and one state a sequence, or none.
    func hiddenStates(
        of batch: TokenBatch, rows: RowIndices, keepingStates: Bool, in pass: Pass,
        beforeBlock: (Int) throws -> Void
    ) rethrows -> (hidden: Tensor, states: [SequenceState]) {
        precondition(
            !keepingStates || flow.hasSingleState, "\(flow) keeps more than one state per layer")
        let shape = [batch.tokens.count, configuration.model]
        let hidden = workspace.tensor("stream.hidden", [rows.count, configuration.model])
        var (input, output) = (
            workspace.tensor("stream.0", shape), workspace.tensor("stream.1", shape)
        )
        embeddings.forward(batch.indices, into: input, in: pass)
        var layers: [[SequenceState.Layer]] = []
        for block in blocks {
            try beforeBlock(block.layer)
            let isLast = block === blocks.last
            let run = block.forward(
                input, of: batch, flow: flow, rows: isLast ? rows : nil,
                into: isLast ? hidden : output, keepingStates: keepingStates, in: pass)
            if keepingStates { layers.append(run.states) }
            (input, output) = (output, input)
        }
        guard keepingStates else { return (hidden, []) }
        let states = batch.sequences.indices.map { index in
            SequenceState(
                layers: layers.map { $0[index] },
                position: (batch.sequences[index].state?.position ?? 0)
                    + batch.sequences[index].tokens.count)
        }
        return (hidden, states)
    }

    /// The logits after some rows of the last block's output, `[rows, model]`.
    ///
    /// - Returns: The rows normalised, `[rows, model]`, and projected, `[rows, vocabulary]`; both in
    ///   the workspace.
    func logits(of hidden: Tensor, in pass: Pass) -> (normed: Tensor, logits: Tensor) {
        let normed = workspace.tensor("head.normed", hidden.shape)
        normF.forward(hidden, into: normed, in: pass)
        let logits = workspace.tensor("head.logits", [hidden.rows, lmHead.outFeatures])
        lmHead.forward(normed, into: logits, in: pass)
        return (normed, logits)
    }

    /// What `body` makes of ranges of `count` rows whose logits are held at once.
    func mapChunks<Value>(of count: Int, _ body: (Range<Int>) -> Value) -> [Value] {
        let size = 256
        return stride(from: 0, to: count, by: size).map { body($0..<min($0 + size, count)) }
    }
}
