import Glibc
import Python
import Storage

/// What one document contributes to the metrics of its task.
///
/// Source: lm-evaluation-harness 0.4.13, `ConfigurableTask.process_results`.
struct DocumentMetrics {
    /// The right choice or choices.
    enum Gold: Equatable {
        /// One; below zero it is none of the choices.
        case one(Int)
        /// Any of these.
        case anyOf([Int])

        /// What stands for an answer that is none of the choices.
        static let none = -100
    }

    /// The values by metric, in the harness's order; only those that are wanted.
    private(set) var values: [(name: MetricName, value: MetricValue)] = []

    /// Several choices.
    ///
    /// - Parameters:
    ///   - choices: The choices without what stands before them.
    ///   - gold: The right one.
    ///   - scores: One score per choice and, for `acc_mutual_info`, then one without context.
    ///   - wanted: The task's metrics.
    init(choices: [String], gold: Gold, scores: [TaskResult.Response], wanted: Set<MetricName>) {
        let likelihoods = scores.prefix(choices.count).map(\.logLikelihood)
        func isRight(_ numbers: [Double]) -> Double {
            let best = DocumentMetrics.indexOfLargest(numbers)
            return switch gold {
            case .one(let index): best == index ? 1 : 0
            case .anyOf(let indices): indices.contains(best) ? 1 : 0
            }
        }
        func divided(by sizes: [Int]) -> [Double] {
            zip(likelihoods, sizes).map { $0 / Double($1) }
        }
        func isGreedy(_ index: Int) -> Bool {
            let place = index < 0 ? index + scores.count : index
            return index != Gold.none && scores.indices.contains(place) && scores[place].isGreedy
        }
        let best = DocumentMetrics.indexOfLargest(likelihoods)
        add(.acc, to: wanted) { .number(isRight(likelihoods)) }
        if case .one(let index) = gold {
            add(.f1, to: wanted) { .classes(gold: index, predicted: best) }
            add(.mcc, to: wanted) { .classes(gold: index, predicted: best) }
        }
        add(.accNorm, to: wanted) { .number(isRight(divided(by: choices.map(\.scalarCount)))) }
        add(.accBytes, to: wanted) { .number(isRight(divided(by: choices.map(\.utf8.count)))) }
        add(.exactMatch, to: wanted) {
            switch gold {
            case .one(let index): .integer(isGreedy(index) ? 1 : 0)
            case .anyOf(let indices): .integer(indices.contains(where: isGreedy) ? 1 : 0)
            }
        }
        if case .one(let index) = gold {
            add(.brierScore, to: wanted) {
                .probabilities(gold: index, DocumentMetrics.softMax(likelihoods))
            }
        }
        add(.accMutualInfo, to: wanted) {
            let without = scores.dropFirst(choices.count).map(\.logLikelihood)
            return .number(isRight(zip(likelihoods, without).map { $0 - $1 }))
        }
    }

    /// One continuation.
    init(_ score: TaskResult.Response, wanted: Set<MetricName>) {
        add(.perplexity, to: wanted) { .number(score.logLikelihood) }
        add(.acc, to: wanted) { .integer(score.isGreedy ? 1 : 0) }
    }

    /// A whole text.
    init(logLikelihood: Double, of text: String, wanted: Set<MetricName>) {
        let (words, bytes) = (text.whiteSpacePieces, text.utf8.count)
        add(.wordPerplexity, to: wanted) { .weighted(logLikelihood, weight: words) }
        add(.bytePerplexity, to: wanted) { .weighted(logLikelihood, weight: bytes) }
        add(.bitsPerByte, to: wanted) { .weighted(logLikelihood, weight: bytes) }
    }

    /// Values that a task's own function made.
    init(_ values: [(MetricName, MetricValue)]) {
        self.values = values.map { (name: $0.0, value: $0.1) }
    }

    /// Adds the value of one more metric.
    mutating func append(_ name: MetricName, _ value: MetricValue) { values.append((name, value)) }

    private mutating func add(
        _ name: MetricName, to wanted: Set<MetricName>, _ value: () -> MetricValue
    ) {
        if wanted.contains(name) { values.append((name, value())) }
    }

    /// NumPy's `argmax`: the first of the largest, or the first that is not a number.
    static func indexOfLargest(_ numbers: [Double]) -> Int {
        var best = 0
        for (index, number) in numbers.enumerated() {
            if number.isNaN { return index }
            if number > numbers[best] { best = index }
        }
        return best
    }

    private static func softMax(_ numbers: [Double]) -> [Double] {
        let largest = numbers.max() ?? 0
        let powers = numbers.map { exp($0 - largest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }
}

/// A metric, by the harness's name or one that a task's own function gives.
public struct MetricName: RawRepresentable, Hashable, Sendable {
    /// The name.
    public let rawValue: String

    /// Names a metric.
    public init(rawValue: String) { self.rawValue = rawValue }

    private init(_ name: String) { rawValue = name }

    /// Whether the likeliest choice is the right one; for a single continuation, whether it is greedy.
    public static let acc = MetricName("acc")
    /// The same, with log-likelihoods divided by the number of characters.
    public static let accNorm = MetricName("acc_norm")
    /// The same, with log-likelihoods divided by the number of bytes.
    public static let accBytes = MetricName("acc_bytes")
    /// The same, with the log-likelihood without context subtracted.
    public static let accMutualInfo = MetricName("acc_mutual_info")
    /// Whether the right choice is greedy, or an answer is the target's text.
    public static let exactMatch = MetricName("exact_match")
    /// The squared distance of the probabilities from the truth.
    public static let brierScore = MetricName("brier_score")
    /// The harmonic mean of precision and recall of class 1.
    public static let f1 = MetricName("f1")
    /// Matthews' correlation coefficient.
    public static let mcc = MetricName("mcc")
    /// The exponential of the mean negative log-likelihood of documents.
    public static let perplexity = MetricName("perplexity")
    /// The perplexity a word.
    public static let wordPerplexity = MetricName("word_perplexity")
    /// The perplexity a byte.
    public static let bytePerplexity = MetricName("byte_perplexity")
    /// The base-2 logarithm of the perplexity a byte.
    public static let bitsPerByte = MetricName("bits_per_byte")
    /// The share of n-grams of answers that are in the targets.
    public static let bleu = MetricName("bleu")
    /// The F-score of n-grams of characters.
    public static let chrF = MetricName("chrf")
    /// The same with words, too.
    public static let chrFPlus = MetricName("chrf++")
    /// A number that means nothing, for runs of which only the samples count.
    public static let bypass = MetricName("bypass")

    /// How values are summed up where the task's file does not say.
    var defaultAggregation: Aggregation {
        switch self {
        case .brierScore: .brierScore
        case .f1: .f1
        case .mcc: .matthewsCorrelation
        case .perplexity: .perplexity
        case .wordPerplexity, .bytePerplexity: .weightedPerplexity
        case .bitsPerByte: .bitsPerByte
        case .bleu: .bleu
        case .chrF: .chrF
        case .chrFPlus: .chrFPlus
        case .bypass: .bypass
        default: .mean
        }
    }

    /// Whether more is better where the task's file does not say; nil if nothing is known.
    var defaultHigherIsBetter: Bool? {
        switch self {
        case .brierScore, .perplexity, .wordPerplexity, .bytePerplexity, .bitsPerByte: false
        case .acc, .accNorm, .accBytes, .accMutualInfo, .exactMatch, .f1, .mcc, .bleu, .chrF,
            .chrFPlus, .bypass:
            true
        default: nil
        }
    }
}

/// What one document contributes to a metric.
public enum MetricValue: Equatable, Sendable {
    /// 1.0 for a hit and 0.0 for a miss, or any other number.
    case number(Double)
    /// The same, where the harness writes an integer.
    case integer(Int)
    /// A log-likelihood and the number of words or bytes it is spread over.
    case weighted(Double, weight: Int)
    /// The right class and the class chosen.
    case classes(gold: Int, predicted: Int)
    /// The right class and the probabilities of all.
    case probabilities(gold: Int, [Double])
    /// Anything else, as Python marks it.
    case other(JSONValue)

    /// A value that a Python function made.
    init(python value: JSONValue) {
        switch value {
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .number(value)
        default: self = .other(value)
        }
    }

    /// The value as the samples' file holds it.
    public var json: JSONValue {
        switch self {
        case .number(let value): .number(value)
        case .integer(let value): .integer(value)
        case .weighted(let value, let weight): [.number(value), .integer(weight)]
        case .classes(let gold, let predicted): [.integer(gold), .integer(predicted)]
        case .probabilities(let gold, let values):
            [.integer(gold), .array(values.map { .number($0) })]
        case .other(let value): value.withoutPythonMarks
        }
    }

    /// The value as Python functions get it.
    var python: JSONValue {
        switch self {
        case .weighted, .classes, .probabilities: .pythonTuple(json.arrayValue ?? [])
        case .other(let value): value
        case .number, .integer: json
        }
    }

    /// Two values, as a tuple or a list of Python holds them.
    var pair: (JSONValue, JSONValue)? {
        guard let items = json.arrayValue, items.count == 2 else { return nil }
        return (items[0], items[1])
    }

    /// Reads what ``json`` wrote.
    ///
    /// - Parameter json: A value of a sample.
    public init?(_ json: JSONValue) {
        switch json {
        case .number(let value): self = .number(value)
        case .integer(let value): self = .integer(value)
        case .array(let items) where items.count == 2:
            switch (items[0], items[1]) {
            case (.integer(let gold), .integer(let predicted)):
                self = .classes(gold: gold, predicted: predicted)
            case (.number(let value), .integer(let weight)):
                self = .weighted(value, weight: weight)
            case (.integer(let gold), .array(let values)):
                self = .probabilities(gold: gold, values.compactMap(\.numberValue))
            default: return nil
            }
        default: return nil
        }
    }

    /// The value if it is a single number.
    public var number: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        case .other(.bool(let value)): value ? 1 : 0
        case .weighted, .classes, .probabilities, .other: nil
        }
    }
}
