/// The metrics, by the harness's names, with what it assumes of each.
public enum MetricName: String, CaseIterable, Sendable {
    /// Whether the likeliest choice is the right one; for a single continuation, whether it is greedy.
    case acc
    /// The same, with log-likelihoods divided by the number of characters.
    case accNorm = "acc_norm"
    /// The same, with log-likelihoods divided by the number of bytes.
    case accBytes = "acc_bytes"
    /// The same, with the log-likelihood without context subtracted.
    case accMutualInfo = "acc_mutual_info"
    /// Whether the right choice is greedy.
    case exactMatch = "exact_match"
    /// The squared distance of the probabilities from the truth.
    case brierScore = "brier_score"
    /// The harmonic mean of precision and recall of class 1.
    case f1
    /// Matthews' correlation coefficient.
    case mcc
    /// The exponential of the mean negative log-likelihood of documents.
    case perplexity
    /// The perplexity a word.
    case wordPerplexity = "word_perplexity"
    /// The perplexity a byte.
    case bytePerplexity = "byte_perplexity"
    /// The base-2 logarithm of the perplexity a byte.
    case bitsPerByte = "bits_per_byte"
    /// A number that means nothing, for runs of which only the samples count.
    case bypass

    /// How values are summed up where the task's file does not say.
    var defaultAggregation: Aggregation {
        switch self {
        case .acc, .accNorm, .accBytes, .accMutualInfo, .exactMatch: .mean
        case .brierScore: .brierScore
        case .f1: .f1
        case .mcc: .matthewsCorrelation
        case .perplexity: .perplexity
        case .wordPerplexity, .bytePerplexity: .weightedPerplexity
        case .bitsPerByte: .bitsPerByte
        case .bypass: .bypass
        }
    }

    /// Whether more is better where the task's file does not say.
    var defaultHigherIsBetter: Bool {
        switch self {
        case .brierScore, .perplexity, .wordPerplexity, .bytePerplexity, .bitsPerByte: false
        default: true
        }
    }
}
