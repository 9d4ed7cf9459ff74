import Layers
import Tensors

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
        let (hidden, states) = hiddenStates(of: forest, rows: hiddenRows, in: pass)
        let indices = Dictionary(uniqueKeysWithValues: zip(hiddenRows, 0 as Int32..<Int32.max))
        var scores = CrossEntropy.Result(
            logProbabilities: [Double](repeating: 0, count: scored.count),
            isGreedy: [Bool](repeating: false, count: scored.count))
        for start in stride(from: 0, to: wanted.count, by: Self.logitRows) {
            let chunk = wanted[start...].prefix(Self.logitRows)
            let gathered = workspace.tensor("head.gathered", [chunk.count, configuration.model])
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
        return (states, scores)
    }

    /// Runs all blocks over a forest, keeping only the last one's output.
    ///
    /// - Parameters:
    ///   - forest: The sequences.
    ///   - rows: The rows of the last block's output that are wanted, rising, in the order of parts.
    ///   - pass: The processor and working memory.
    /// - Returns: The last block's output, `[rows, model]`, and the states of the sequences that keep
    ///   them.
    private func hiddenStates(
        of forest: TokenForest, rows: [Int], in pass: Pass
    ) -> (hidden: Tensor, states: [SequenceState?]) {
        precondition(
            flow.hasSingleState || forest.parts.allSatisfy { !$0.keepsStates },
            "\(flow) keeps more than one state per layer")
        let tokens = forest.tokens
        let shape = [tokens.count, configuration.model]
        var (input, output) = (
            workspace.tensor("stream.0", shape), workspace.tensor("stream.1", shape)
        )
        let hidden = workspace.tensor("stream.hidden", [rows.count, configuration.model])
        embeddings.forward(RowIndices(tokens), into: input, in: pass)
        var kept = [[SequenceState.Layer]](repeating: [], count: forest.sequences.count)
        for block in blocks {
            var ends = [SequenceState.Layer?](repeating: nil, count: forest.sequences.count)
            var done = 0
            for part in forest.parts {
                let batch = TokenBatch(part.sequences.map { batchSequence($0, of: forest, ends) })
                var (wanted, target): (RowIndices?, Tensor) = (nil, output.rows(part.rows))
                if block === blocks.last {
                    let own = rows[done...].prefix { part.rows.contains($0) }
                    wanted = RowIndices(own.map { Int32($0 - part.rows.lowerBound) })
                    target = hidden.rows(own.indices)
                    done = own.endIndex
                }
                let states = block.forward(
                    input.rows(part.rows), of: batch, flow: flow, rows: wanted, into: target,
                    keepingStates: part.keepsStates, in: pass
                ).states
                for (index, state) in zip(part.sequences, states) {
                    ends[index] = state
                    if forest.sequences[index].keepsState { kept[index].append(state) }
                }
            }
            (input, output) = (output, input)
        }
        let states = zip(kept, forest.positions).map { layers, position in
            layers.isEmpty ? nil : SequenceState(layers: layers, position: position)
        }
        return (hidden, states)
    }

    /// A sequence as one block sees it, given the ends of those before it.
    private func batchSequence(
        _ index: Int, of forest: TokenForest, _ ends: [SequenceState.Layer?]
    ) -> TokenBatch.Sequence {
        let sequence = forest.sequences[index]
        let state: SequenceState? =
            switch sequence.origin {
            case .start: nil
            case .state(let state): state
            case .sequence(let before):
                // The block reads its own part only, and that is all there is of the state.
                ends[before].map {
                    SequenceState(layers: Array(repeating: $0, count: blocks.count), position: 0)
                }
            }
        return TokenBatch.Sequence(
            tokens: sequence.tokens, promptLength: sequence.promptLength, state: state)
    }
}
