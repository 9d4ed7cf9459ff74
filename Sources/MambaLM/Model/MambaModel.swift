import Layers
import Tensors
import TreeTopology

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
    let buffers: ModelBuffers

    /// Creates a model from its parts.
    public init(
        configuration: MambaConfiguration, embeddings: Embedding, blocks: [Block],
        normF: Normalization, lmHead: Linear, flow: any StateFlow = ChainFlow(), engine: any Engine
    ) {
        self.configuration = configuration
        self.embeddings = embeddings
        self.blocks = blocks
        self.normF = normF
        self.lmHead = lmHead
        self.flow = flow
        self.engine = engine
        buffers = ModelBuffers(configuration, engine: engine)
    }

    /// Whether the output projection shares the embedding's weight.
    public var isTied: Bool { lmHead.weight === embeddings.weight }

    /// Every parameter of the base model once, in the order of a checkpoint.
    public var parameters: [Parameter] {
        [embeddings.weight] + blocks.flatMap(\.parameters) + [normF.weight]
            + (isTied ? [] : [lmHead.weight])
    }

    func pass(dropoutSeed: UInt64? = nil) -> Pass {
        Pass(engine: engine, buffers: buffers.adapters, dropoutSeed: dropoutSeed)
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
        let rows = RowIndices(scored.map { Int32($0.row) })
        let (hidden, _) = hiddenStates(
            of: BlockRun(batch, flow: flow, rows: rows, keepsStates: false), in: pass
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
        let ends = RowIndices(batch.rows.map { Int32($0.upperBound - 1) })
        let (hidden, results) = try hiddenStates(
            of: BlockRun(batch, flow: flow, rows: ends, keepsStates: keepingStates), in: pass,
            beforeBlock: beforeBlock)
        return (results.states.compactMap { $0 }, logits(of: hidden, in: pass).logits)
    }

    /// The logits after some rows of the last block's output, `[rows, model]`.
    ///
    /// - Returns: The rows normalised, `[rows, model]`, and projected, `[rows, vocabulary]`; both in
    ///   memory that the next call uses again.
    func logits(of hidden: Tensor, in pass: Pass) -> (normed: Tensor, logits: Tensor) {
        let normed = buffers.head.normed.matrix(rows: hidden.rows)
        normF.forward(hidden, into: normed, in: pass)
        let logits = buffers.head.logits.matrix(rows: hidden.rows)
        lmHead.forward(normed, into: logits, in: pass)
        return (normed, logits)
    }

    /// The most rows whose logits are held at once.
    static let chunkRows = 256

    /// What `body` makes of ranges of `count` rows whose logits are held at once.
    func mapChunks<Value>(of count: Int, _ body: (Range<Int>) -> Value) -> [Value] {
        stride(from: 0, to: count, by: Self.chunkRows).map {
            body($0..<min($0 + Self.chunkRows, count))
        }
    }
}

extension MambaModel {
    /// The most rows of logits that are held at once: 27 MB of a vocabulary of 50,000.
    private static let logitRows = 132

    /// Reads a forest and scores tokens on the way.
    ///
    /// - Parameters:
    ///   - forest: The sequences. Where one goes on from another, or a state is kept, the flow must
    ///     have a single state (``StateFlow/hasSingleState``).
    ///   - scored: What to predict where; rows count the tokens of all sequences, one after the other
    ///     as they were given. Several tokens of one row cost little more than one. The head is
    ///     computed for these rows only.
    /// - Returns: The states of the sequences that keep them; and for each token asked for its
    ///   log-probability, and whether it was the most likely one.
    public func read(
        _ forest: TokenForest, scoring scored: [ScoredToken]
    ) -> (states: [SequenceState?], scores: CrossEntropy.Result) {
        let pass = pass()
        let rows = forest.rows.flatMap { $0 }
        var places: [Int: [Int]] = [:]
        for (place, token) in scored.enumerated() {
            places[rows[token.row], default: []].append(place)
        }
        // Rows with many tokens first, so that those of a chunk that have another are its first.
        let wanted = places.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        let hiddenRows = places.keys.sorted()
        let (hidden, results) = hiddenStates(
            of: BlockRun(forest, flow: flow, rows: hiddenRows), in: pass
        ) { _ in }
        let indices = Dictionary(uniqueKeysWithValues: zip(hiddenRows, 0 as Int32..<Int32.max))
        var scores = CrossEntropy.Result(
            logProbabilities: [Double](repeating: 0, count: scored.count),
            isGreedy: [Bool](repeating: false, count: scored.count))
        for start in stride(from: 0, to: wanted.count, by: Self.logitRows) {
            let chunk = wanted[start...].prefix(Self.logitRows)
            let gathered = buffers.head.gathered.matrix(rows: chunk.count)
            engine.gatherRows(
                RowIndices(chunk.compactMap { indices[$0.key] }), of: hidden, into: gathered)
            let logits = logits(of: gathered, in: pass).logits
            for round in 0..<(chunk.first?.value.count ?? 0) {
                let asked = chunk.prefix { $0.value.count > round }.map { $0.value[round] }
                let part = engine.crossEntropy(
                    logits.rows(0..<asked.count),
                    CrossEntropy.Inputs(targets: asked.map { scored[$0].target })
                ).value
                for (index, place) in asked.enumerated() {
                    scores.logProbabilities[place] = part.logProbabilities[index]
                    scores.isGreedy[place] = part.isGreedy[index]
                }
            }
        }
        return (results.states, scores)
    }
}
