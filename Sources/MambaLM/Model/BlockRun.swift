import Layers
import Tensors

/// Sequences as the blocks run over them, part by part: what is the same in every block is made once.
struct BlockRun {
    /// Sequences that a block computes at once.
    struct Part {
        /// Where they lie among all tokens.
        let rows: Range<Int>
        /// Where each lies among these, and how states flow.
        let layout: BatchLayout
        /// Their numbers.
        let sequences: [Int]
        /// Whether their states are needed, by later parts or by the caller.
        let keepsStates: Bool
        /// The rows of the last block's output that are wanted, counted from the part's first.
        let wanted: RowIndices
        /// Where these go among all that are wanted.
        let place: Range<Int>
    }

    /// All sequences.
    let sequences: [TokenForest.Sequence]
    /// The parts, in the order in which they are computed.
    let parts: [Part]
    /// All tokens, in the order of parts, as rows of the embedding.
    let tokens: RowIndices
    /// How many rows of the last block's output are wanted.
    let wantedCount: Int

    /// Runs over a batch at once.
    ///
    /// - Parameters:
    ///   - batch: The sequences.
    ///   - flow: How states flow.
    ///   - rows: The rows of the last block's output that are wanted.
    ///   - keepsStates: Whether the states after the sequences are wanted.
    init(_ batch: TokenBatch, flow: any StateFlow, rows: RowIndices, keepsStates: Bool) {
        sequences = batch.sequences.map { sequence in
            var result = TokenForest.Sequence(
                tokens: sequence.tokens, promptLength: sequence.promptLength,
                origin: sequence.state.map { .state($0) } ?? .start, keepsState: keepsStates)
            result.overwritesState = sequence.overwritesState
            return result
        }
        tokens = RowIndices(batch.tokens)
        wantedCount = rows.count
        parts = [
            Part(
                rows: 0..<batch.tokens.count, layout: Self.layout(of: sequences, flow: flow),
                sequences: Array(sequences.indices), keepsStates: keepsStates, wanted: rows,
                place: 0..<rows.count)
        ]
    }

    /// Runs over a forest.
    ///
    /// - Parameters:
    ///   - forest: The sequences.
    ///   - flow: How states flow.
    ///   - rows: The rows of the last block's output that are wanted, rising, in the order of parts.
    init(_ forest: TokenForest, flow: any StateFlow, rows: [Int]) {
        sequences = forest.sequences
        tokens = RowIndices(forest.tokens)
        wantedCount = rows.count
        var done = 0
        parts = forest.parts.map { part in
            let own = rows[done...].prefix { part.rows.contains($0) }
            done = own.endIndex
            return Part(
                rows: part.rows,
                layout: Self.layout(of: part.sequences.map { forest.sequences[$0] }, flow: flow),
                sequences: part.sequences, keepsStates: part.keepsStates,
                wanted: RowIndices(own.map { Int32($0 - part.rows.lowerBound) }),
                place: own.indices)
        }
    }

    private static func layout(
        of sequences: [TokenForest.Sequence], flow: any StateFlow
    ) -> BatchLayout {
        flow.layout(
            lengths: sequences.map(\.tokens.count), promptLengths: sequences.map(\.promptLength))
    }

    /// The number of tokens up to each sequence's end, those before it included.
    var positions: [Int] {
        sequences.reduce(into: []) { positions, sequence in
            let before =
                switch sequence.origin {
                case .start: 0
                case .state(let state): state.position
                case .sequence(let index): positions[index]
                }
            positions.append(before + sequence.tokens.count)
        }
    }
}

/// What the blocks leave behind.
struct BlockResults {
    /// The states of the sequences that keep them.
    let states: [SequenceState?]
    /// The trees of each block, those of all parts one after the other.
    let trees: [[ScanTree?]]
}

extension MambaModel {
    /// Runs all blocks.
    ///
    /// - Parameters:
    ///   - run: The sequences. Where states are kept, the flow must have a single one.
    ///   - stream: Memory for the input of each block, `[tokens, model]`; that of a block may be used again by the one
    ///     after the next.
    ///   - hidden: Where the wanted rows of the last block's output go, `[rows, model]`.
    ///   - projections: Memory to keep the input projection of each block in; of none if empty.
    ///   - pass: The processor.
    ///   - beforeBlock: Called with the number of each block before it runs; what it throws ends the run.
    /// - Returns: The states that are kept, and the trees.
    func runBlocks(
        _ run: BlockRun, stream: [Tensor], into hidden: Tensor, keeping projections: [Tensor?] = [],
        in pass: Pass, beforeBlock: (Int) throws -> Void
    ) rethrows -> BlockResults {
        precondition(
            flow.hasSingleState || run.parts.allSatisfy { !$0.keepsStates },
            "\(flow) keeps more than one state per layer")
        embeddings.forward(run.tokens, into: stream[0], in: pass)
        var kept = [[SequenceState.Layer]](repeating: [], count: run.sequences.count)
        var trees: [[ScanTree?]] = []
        for block in blocks {
            try beforeBlock(block.layer)
            let (layer, isLast) = (block.layer, block === blocks.last)
            var ends = [SequenceState.Layer?](repeating: nil, count: run.sequences.count)
            var found: [ScanTree?] = []
            for part in run.parts {
                let sequences = blockSequences(part, of: run, layer: layer, ends: ends)
                found += block.forward(
                    stream[layer].rows(part.rows), of: sequences,
                    rows: isLast ? part.wanted : nil,
                    into: isLast
                        ? hidden.rows(part.place) : stream[layer + 1].rows(part.rows),
                    keeping: projections.isEmpty ? nil : projections[layer],
                    using: buffers.mixer, in: pass)
                for (index, end) in zip(part.sequences, sequences.after) {
                    ends[index] = end
                    if run.sequences[index].keepsState { kept[index].append(end) }
                }
            }
            trees.append(found)
        }
        let states = zip(kept, run.positions).map { layers, position in
            layers.isEmpty ? nil : SequenceState(layers: layers, position: position)
        }
        return BlockResults(states: states, trees: trees)
    }

    /// Runs all blocks, keeping only the last one's output.
    ///
    /// - Parameters:
    ///   - run: The sequences.
    ///   - pass: The processor.
    ///   - beforeBlock: Called with the number of each block before it runs; what it throws ends the run.
    /// - Returns: The wanted rows of the last block's output, `[rows, model]`, states and trees.
    func hiddenStates(
        of run: BlockRun, in pass: Pass, beforeBlock: (Int) throws -> Void
    ) rethrows -> (hidden: Tensor, results: BlockResults) {
        let stream = blocks.indices.map { blockInput($0, tokens: run.tokens.count) }
        let hidden = buffers.stream.hidden.matrix(rows: run.wantedCount)
        let results = try runBlocks(
            run, stream: stream, into: hidden, in: pass, beforeBlock: beforeBlock)
        return (hidden, results)
    }

    /// Where ``hiddenStates(of:in:beforeBlock:)`` has the input of a block, `[tokens, model]`, which is not needed beyond it.
    func blockInput(_ layer: Int, tokens: Int) -> Tensor {
        buffers.stream.inputs[layer % 2].matrix(rows: tokens)
    }

    /// The sequences of a part as a block sees them, given where it left those of earlier parts.
    func blockSequences(
        _ part: BlockRun.Part, of run: BlockRun, layer: Int, ends: [SequenceState.Layer?] = []
    ) -> BlockSequences {
        let before = part.sequences.map { index -> SequenceState.Layer? in
            switch run.sequences[index].origin {
            case .start: nil
            case .state(let state): state.layers[layer]
            case .sequence(let other): ends[other]
            }
        }
        var sequences = BlockSequences(layout: part.layout)
        if before.contains(where: { $0 != nil }) { sequences.before = before }
        guard part.keepsStates else { return sequences }
        let x = configuration
        sequences.after = zip(part.sequences, before).map { index, before in
            if run.sequences[index].overwritesState, let before { return before }
            return SequenceState.Layer(
                history: engine.tensor([x.convolutionWidth - 1, x.inner]),
                state: engine.tensor([x.state, x.inner]))
        }
        return sequences
    }
}
