import MambaLM

/// How the tokens of a step make up its loss.
public enum LossReduction: String, CaseIterable, Sendable {
    /// The mean over all scored tokens of the step.
    case token
    /// The mean over the step's records of each record's own mean, as in the released code.
    case record

    /// The weight of every scored token of some record in a step.
    ///
    /// - Parameters:
    ///   - record: The record.
    ///   - records: How many records the step has.
    ///   - tokens: How many scored tokens the step has.
    /// - Returns: The weight.
    func weight(of record: TrainingRecord, records: Int, tokens: Int) -> Float {
        switch self {
        case .token: Float(1 / Double(tokens))
        case .record: Float(1 / (Double(records) * Double(record.scored.count)))
        }
    }
}

extension TokenBatch {
    /// The records of one pass, and what is to be predicted of them.
    ///
    /// - Parameters:
    ///   - records: The records.
    ///   - weight: The weight of each of a record's scored tokens.
    /// - Returns: The batch and its scored tokens, in order.
    static func training(
        _ records: [TrainingRecord], weight: (TrainingRecord) -> Float
    ) -> (batch: TokenBatch, scored: [ScoredToken]) {
        let batch = TokenBatch(
            records.map { Sequence(tokens: $0.tokens, promptLength: $0.promptLength) })
        let scored = zip(records, batch.rows).flatMap { record, rows in
            let weight = weight(record)
            return record.scored.map {
                ScoredToken(
                    row: rows.lowerBound + $0 - 1, target: record.tokens[$0], weight: weight)
            }
        }
        return (batch, scored)
    }
}
