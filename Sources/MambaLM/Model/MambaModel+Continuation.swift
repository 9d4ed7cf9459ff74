import Kernels

extension MambaModel {
    /// Reads a batch and scores tokens on the way: ``read(_:keepingStates:)`` and
    /// ``score(_:_:)`` in one pass.
    ///
    /// - Parameters:
    ///   - batch: The sequences.
    ///   - scored: What to predict where, in the order of rows; several tokens of one row cost little
    ///     more than one. The head is computed for these rows only.
    ///   - keepingStates: Whether the states are wanted; then the flow must have a single state
    ///     (``StateFlow/hasSingleState``).
    /// - Returns: One state a sequence, or none; and for each token asked for its log-probability, and
    ///   whether it was the most likely one.
    public func read(
        _ batch: TokenBatch, scoring scored: [ScoredToken], keepingStates: Bool
    ) -> (states: [SequenceState], scores: CrossEntropy.Result) {
        precondition(
            !keepingStates || flow.hasSingleState, "\(flow) keeps more than one state a layer")
        precondition(
            zip(scored, scored.dropFirst()).allSatisfy { $0.row <= $1.row },
            "scored tokens are not in the order of their rows")
        let pass = pass()
        var rows: [Int32] = []
        for token in scored where rows.last != Int32(token.row) { rows.append(Int32(token.row)) }
        let (hidden, states) = hiddenStates(
            of: batch, rows: rows, keepingStates: keepingStates, in: pass)
        var scores = CrossEntropy.Result()
        var rest = scored[...]
        forEachChunk(of: rows.count) { chunk in
            let asked = rest.prefix { $0.row <= rows[chunk.upperBound - 1] }
            rest = rest.dropFirst(asked.count)
            let part = self.scores(
                of: asked, rows: rows[chunk], hidden: hidden.rows(chunk), in: pass)
            scores.logProbabilities += part.logProbabilities
            scores.isGreedy += part.isGreedy
        }
        return (states, scores)
    }

    /// Scores one chunk: its rows are projected once and compared with their targets in rounds.
    private func scores(
        of scored: ArraySlice<ScoredToken>, rows: ArraySlice<Int32>, hidden: Tensor, in pass: Pass
    ) -> CrossEntropy.Result {
        let logits = logits(of: hidden, in: pass).logits
        // Which place of the chunk each row's round is about.
        var rounds: [[Int?]] = []
        var (row, round) = (-1, 0)
        for (place, token) in scored.enumerated() {
            if row < 0 || rows[rows.startIndex + row] != token.row {
                row += 1
                round = 0
            }
            if round == rounds.count { rounds.append([Int?](repeating: nil, count: rows.count)) }
            rounds[round][row] = place
            round += 1
        }
        var result = CrossEntropy.Result(
            logProbabilities: [Double](repeating: 0, count: scored.count),
            isGreedy: [Bool](repeating: false, count: scored.count))
        for places in rounds {
            let targets = places.map { $0.map { scored[scored.startIndex + $0].target } ?? 0 }
            let part = engine.crossEntropy(logits, CrossEntropy.Inputs(targets: targets))
            for (row, place) in places.enumerated() {
                guard let place else { continue }
                result.logProbabilities[place] = part.logProbabilities[row]
                result.isGreedy[place] = part.isGreedy[row]
            }
        }
        return result
    }
}
