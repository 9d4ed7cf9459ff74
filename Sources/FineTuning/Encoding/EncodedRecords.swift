import Prompting

/// Records as the model sees them, and what became of those that are not learnt as they stand.
public struct EncodedRecords: Equatable, Sendable {
    /// Some records of one kind.
    public struct Tally: Equatable, Sendable {
        /// How many there are.
        public var count: Int
        /// The first of them.
        public var first: RecordOrigin
    }

    /// The records that can be trained on.
    public internal(set) var records: [TrainingRecord] = []
    /// The records of which there is something to say.
    public internal(set) var remarks: [RecordRemark: Tally] = [:]

    /// All tokens of the records.
    public var tokens: Int { records.reduce(0) { $0 + $1.tokens.count } }
    /// All tokens that carry loss.
    public var scoredTokens: Int { records.reduce(0) { $0 + $1.scored.count } }

    /// How many records there is something to say of.
    public func count(_ remark: RecordRemark) -> Int { remarks[remark]?.count ?? 0 }

    mutating func note(_ remark: RecordRemark, _ origin: RecordOrigin) {
        remarks[remark, default: Tally(count: 0, first: origin)].count += 1
    }

    mutating func append(_ other: EncodedRecords) {
        records += other.records
        for (remark, tally) in other.remarks {
            remarks[remark, default: Tally(count: 0, first: tally.first)].count += tally.count
        }
    }
}

/// What there can be to say of a record that is not learnt as it stands.
public enum RecordRemark: String, CaseIterable, Sendable {
    /// Its end was cut off at the length limit.
    case truncated
    /// It is longer than the limit and was left out.
    case droppedLong = "dropped_long"
    /// Its prompt alone fills the limit, and it was left out.
    case droppedUnscored = "dropped_unscored"
    /// Its answer is empty, or white space.
    case emptyAnswer = "empty_answer"
    /// Its answer is there, but no token of it carries loss.
    case unscoredAnswer = "unscored_answer"
    /// The end of its prompt and the beginning of its answer are one token.
    case sharedToken = "shared_token"
    /// With an answer its template writes the prompt otherwise than without.
    case changedPrompt = "changed_prompt"

    /// What is said of such records.
    public var sentence: String {
        switch self {
        case .truncated: "were cut off at --max-seq-length, and so do not teach where to stop"
        case .droppedLong: "were left out: longer than --max-seq-length"
        case .droppedUnscored: "were left out: the prompt alone fills --max-seq-length"
        case .emptyAnswer: "have an empty answer, which teaches to stop at once"
        case .unscoredAnswer: "have an answer of which no token carries loss"
        case .sharedToken:
            "have a prompt that ends within the answer's first token, which is learnt whole"
        case .changedPrompt:
            "have a prompt that the template writes otherwise before an answer; the difference is learnt"
        }
    }
}
