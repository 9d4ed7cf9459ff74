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
