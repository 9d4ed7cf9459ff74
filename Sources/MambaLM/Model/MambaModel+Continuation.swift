import Kernels

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
        let (hidden, states) = hiddenStates(of: forest, in: pass)
        let rows = forest.rows.flatMap { $0 }
        var places: [Int: [Int]] = [:]
        for (place, token) in scored.enumerated() {
            places[rows[token.row], default: []].append(place)
        }
        // Rows with many tokens first, so that those of a chunk that have another are its first.
        let wanted = places.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        var scores = CrossEntropy.Result(
            logProbabilities: [Double](repeating: 0, count: scored.count),
            isGreedy: [Bool](repeating: false, count: scored.count))
        for start in stride(from: 0, to: wanted.count, by: Self.logitRows) {
            let chunk = wanted[start...].prefix(Self.logitRows)
            let logits = logits(of: chunk.map(\.key), hidden: hidden, in: pass).logits
            for round in 0..<(chunk.first?.value.count ?? 0) {
                let asked = chunk.prefix { $0.value.count > round }.map { $0.value[round] }
                let part = engine.crossEntropy(
                    logits.rows(0..<asked.count),
                    CrossEntropy.Inputs(targets: asked.map { scored[$0].target }))
                for (index, place) in asked.enumerated() {
                    scores.logProbabilities[place] = part.logProbabilities[index]
                    scores.isGreedy[place] = part.isGreedy[index]
                }
            }
        }
        return (states, scores)
    }

    /// Runs all blocks over a forest, keeping only the last one's output, in the order of parts.
    private func hiddenStates(
        of forest: TokenForest, in pass: Pass
    ) -> (hidden: Tensor, states: [SequenceState?]) {
        precondition(
            flow.hasSingleState || forest.parts.allSatisfy { !$0.keepsStates },
            "\(flow) keeps more than one state a layer")
        let tokens = forest.tokens
        let shape = [tokens.count, configuration.model]
        var (input, output) = (
            workspace.tensor("stream.0", shape), workspace.tensor("stream.1", shape)
        )
        embeddings.forward(tokens, into: input, in: pass)
        var kept = [[SequenceState.Layer]](repeating: [], count: forest.sequences.count)
        for block in blocks {
            var ends = [SequenceState.Layer?](repeating: nil, count: forest.sequences.count)
            for part in forest.parts {
                let batch = TokenBatch(part.sequences.map { batchSequence($0, of: forest, ends) })
                let states = block.forward(
                    input.rows(part.rows), of: batch, flow: flow, into: output.rows(part.rows),
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
        return (input, states)
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
