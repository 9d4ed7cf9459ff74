/// Records as the model sees them, and what became of those that were too long.
public struct EncodedRecords: Equatable, Sendable {
    /// The records that can be trained on.
    public internal(set) var records: [TrainingRecord] = []
    /// How many of them were cut at their end.
    public internal(set) var truncated = 0
    /// How many were left out because they were too long.
    public internal(set) var droppedLong = 0
    /// How many were left out because their prompt alone fills the limit.
    public internal(set) var droppedUnscored = 0

    /// All tokens of the records.
    public var tokens: Int { records.reduce(0) { $0 + $1.tokens.count } }
    /// All tokens that carry loss.
    public var scoredTokens: Int { records.reduce(0) { $0 + $1.scored.count } }

    mutating func append(_ other: EncodedRecords) {
        records += other.records
        truncated += other.truncated
        droppedLong += other.droppedLong
        droppedUnscored += other.droppedUnscored
    }
}
