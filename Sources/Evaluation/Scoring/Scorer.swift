import MambaLM

/// Scores continuations in batches.
///
/// A score depends on its own request alone: sequences of a batch are not padded and do not meet.
///
/// Source: lm-evaluation-harness 0.4.13, `HFLM._loglikelihood_tokens`: the last `maximumLength + 1`
/// tokens of context and continuation are kept, and the last of them is not read. With a tree, the
/// prompt is the context that is left.
public struct Scorer {
    private let model: MambaModel
    private let maximumLength: Int
    private let batchTokens: Int

    /// Prepares to score.
    ///
    /// - Parameters:
    ///   - model: Decides, by its flow, whether prompts have trees.
    ///   - maximumLength: The most tokens that are read for one request.
    ///   - batchTokens: About how many tokens are computed at once; changes no result.
    public init(model: MambaModel, maximumLength: Int = 2048, batchTokens: Int = 1024) {
        precondition(maximumLength >= 1 && batchTokens >= 1)
        (self.model, self.maximumLength) = (model, maximumLength)
        self.batchTokens = batchTokens
    }

    /// Scores requests.
    ///
    /// - Parameters:
    ///   - requests: With at least one token in context and continuation each.
    ///   - progress: Called with the number of requests that are done.
    /// - Returns: One score a request, in order.
    public func score(
        _ requests: [ScoringRequest], progress: (Int) -> Void = { _ in }
    ) -> [ContinuationScore] {
        var scores: [ContinuationScore] = []
        var pending: [TokenBatch.Sequence] = []
        var pendingScored: [[Int32]] = []
        func flush() {
            scores += score(pending, pendingScored)
            pending.removeAll()
            pendingScored.removeAll()
            progress(scores.count)
        }
        for request in requests {
            let (sequence, scored) = sequence(of: request)
            let waiting = pending.reduce(0) { $0 + $1.tokens.count }
            if !pending.isEmpty && waiting + sequence.tokens.count > batchTokens { flush() }
            pending.append(sequence)
            pendingScored.append(scored)
        }
        if !pending.isEmpty { flush() }
        return scores
    }

    /// What is read for a request, and the tokens to be predicted from its last rows.
    private func sequence(of request: ScoringRequest) -> (TokenBatch.Sequence, scored: [Int32]) {
        let kept = (request.context + request.continuation).suffix(maximumLength + 1)
        let scored = request.continuation.suffix(maximumLength)
        let read = Array(kept.dropLast())
        return (
            TokenBatch.Sequence(tokens: read, promptLength: read.count - (scored.count - 1)),
            Array(scored)
        )
    }

    /// Predicts the last tokens of sequences; `scored[i]` from the last rows of sequence `i`.
    private func score(
        _ sequences: [TokenBatch.Sequence], _ scored: [[Int32]]
    ) -> [ContinuationScore] {
        let batch = TokenBatch(sequences)
        let tokens = zip(batch.rows, scored).flatMap { rows, targets in
            zip(rows.suffix(targets.count), targets).map { ScoredToken(row: $0, target: $1) }
        }
        let result = model.score(batch, tokens)
        var start = 0
        return scored.map { targets in
            let range = start..<start + targets.count
            start = range.upperBound
            return ContinuationScore(
                logProbabilities: Array(result.logProbabilities[range]),
                isGreedy: result.isGreedy[range].allSatisfy { $0 })
        }
    }

    /// Scores every token of a text after the first.
    ///
    /// - Parameters:
    ///   - tokens: At least one id; all are read, whatever the maximum length.
    ///   - promptLength: How many of the first tokens are the prompt, for trees.
    /// - Returns: One log-probability fewer than tokens.
    public func scoreAllPositions(_ tokens: [Int32], promptLength: Int) -> [Double] {
        let batch = TokenBatch([
            TokenBatch.Sequence(tokens: tokens, promptLength: promptLength)
        ])
        let scored = tokens.indices.dropFirst().map {
            ScoredToken(row: $0 - 1, target: tokens[$0])
        }
        return model.score(batch, scored).logProbabilities
    }
}
