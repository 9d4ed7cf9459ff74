import Dispatch
import Glibc
import Python
import Storage
import Synchronization

/// Sums up the documents' values of a metric, by the harness's names.
///
/// Sums are plain, from the first document to the last, as Python's were up to 3.11.
///
/// Source: lm-evaluation-harness 0.4.13, `api/metrics.py`; f1 and Matthews' coefficient as in
/// scikit-learn.
public enum Aggregation: String, CaseIterable, Sendable {
    /// The arithmetic mean.
    case mean
    /// The mean without the values that are not numbers.
    case nanmean
    /// The middle value; of an even number, the upper one of the two.
    case median
    /// `exp(-mean)`
    case perplexity
    /// `exp(-sum of log-likelihoods / sum of weights)`
    case weightedPerplexity = "weighted_perplexity"
    /// `-sum of log-likelihoods / sum of weights / ln 2`
    case bitsPerByte = "bits_per_byte"
    /// `2 * hits / (gold + predicted)` of class 1.
    case f1
    /// Matthews' correlation coefficient.
    case matthewsCorrelation = "matthews_corrcoef"
    /// The mean over documents of the squared distance from the truth.
    case brierScore = "brier_score"
    /// The share of n-grams of words of answers that are in the targets, in percent.
    case bleu
    /// The F-score of n-grams of characters, in percent.
    case chrF = "chrf"
    /// The same with words, too.
    case chrFPlus = "chrf++"
    /// 999
    case bypass

    /// Why values cannot be summed up.
    enum Failure: Error, Equatable {
        /// There are none.
        case empty
        /// They are not of the kind this aggregation is made for.
        case kind(expected: String)
        /// f1 met classes other than two with class 1 among them.
        case classes([Int])
        /// Documents have different numbers of choices.
        case choices(Int, Int)
        /// The right class is none of the choices.
        case gold(Int, choices: Int)
    }

    /// Sums up.
    func callAsFunction(_ values: [MetricValue]) throws(Failure) -> Double {
        guard !values.isEmpty else { throw .empty }
        switch self {
        case .bypass: return 999
        case .mean, .nanmean, .median, .perplexity: return ofNumbers(try numbers(values))
        case .weightedPerplexity: return exp(-(try Aggregation.weightedMean(values)))
        case .bitsPerByte: return -(try Aggregation.weightedMean(values)) / log(2)
        case .f1: return try Aggregation.f1(try Aggregation.classes(values))
        case .matthewsCorrelation: return Aggregation.matthews(try Aggregation.classes(values))
        case .brierScore: return try Aggregation.brier(values)
        case .bleu, .chrF, .chrFPlus:
            return corpusScore(try corpusCounts(values).reduce([]) { $0.adding($1) })
        }
    }

    /// Whether the standard error is found by drawing documents again and again.
    var isBootstrapped: Bool {
        switch self {
        case .median, .matthewsCorrelation, .f1, .perplexity, .nanmean, .bleu, .chrF, .chrFPlus:
            true
        case .mean, .weightedPerplexity, .bitsPerByte, .brierScore, .bypass: false
        }
    }

    /// The values as numbers.
    func numbers(_ values: [MetricValue]) throws(Failure) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(values.count)
        for value in values {
            guard let number = value.number else {
                throw .kind(expected: "one number per document")
            }
            result.append(number)
        }
        return result
    }

    /// Sums up numbers, for the aggregations that take them.
    fileprivate func ofNumbers(_ numbers: [Double]) -> Double {
        switch self {
        case .median: return numbers.sorted()[numbers.count / 2]
        case .perplexity: return exp(-Aggregation.mean(numbers))
        case .nanmean:
            let kept = numbers.filter { !$0.isNaN }
            return kept.isEmpty ? .nan : Aggregation.mean(kept)
        default: return Aggregation.mean(numbers)
        }
    }

    static func mean(_ numbers: [Double]) -> Double {
        numbers.reduce(0, +) / Double(numbers.count)
    }

    private static func weightedMean(_ values: [MetricValue]) throws(Failure) -> Double {
        var (sum, weights) = (0.0, 0.0)
        for value in values {
            guard let pair = value.pair, let number = pair.0.numberValue,
                let weight = pair.1.numberValue
            else {
                throw .kind(expected: "a log-likelihood and a weight a document")
            }
            sum += number
            weights += weight
        }
        return sum / weights
    }

    static func classes(
        _ values: [MetricValue]
    ) throws(Failure) -> [(gold: Int, predicted: Int)] {
        var pairs: [(gold: Int, predicted: Int)] = []
        for value in values {
            guard let pair = value.pair, let gold = pair.0.asInteger,
                let predicted = pair.1.asInteger
            else {
                throw .kind(expected: "a right and a chosen class a document")
            }
            pairs.append((gold, predicted))
        }
        return pairs
    }

    static func f1(_ pairs: [(gold: Int, predicted: Int)]) throws(Failure) -> Double {
        let classes = Set(pairs.map(\.gold)).union(pairs.map(\.predicted))
        guard classes.count < 2 || (classes.count == 2 && classes.contains(1)) else {
            throw .classes(classes.sorted())
        }
        let hits = pairs.count { $0.gold == 1 && $0.predicted == 1 }
        let total = pairs.count { $0.gold == 1 } + pairs.count { $0.predicted == 1 }
        return total == 0 ? 0 : 2 * Double(hits) / Double(total)
    }

    fileprivate static func matthews(_ pairs: [(gold: Int, predicted: Int)]) -> Double {
        var (gold, predicted): ([Int: Double], [Int: Double]) = ([:], [:])
        for pair in pairs {
            gold[pair.gold, default: 0] += 1
            predicted[pair.predicted, default: 0] += 1
        }
        let count = Double(pairs.count)
        let hits = Double(pairs.count { $0.gold == $0.predicted })
        // Whole numbers, so that the order of the sums does not matter.
        let both = gold.reduce(0) { $0 + $1.value * (predicted[$1.key] ?? 0) }
        let goldSquares = gold.values.reduce(0) { $0 + $1 * $1 }
        let predictedSquares = predicted.values.reduce(0) { $0 + $1 * $1 }
        let (spread, predictedSpread) = (
            count * count - goldSquares, count * count - predictedSquares
        )
        let product = spread * predictedSpread
        return product == 0 ? 0 : (hits * count - both) / product.squareRoot()
    }

    private static func brier(_ values: [MetricValue]) throws(Failure) -> Double {
        var sum = 0.0
        var choices: Int?
        for value in values {
            guard case .probabilities(let gold, let probabilities) = value else {
                throw .kind(expected: "a right class and probabilities a document")
            }
            let count = choices ?? probabilities.count
            choices = count
            guard probabilities.count == count else { throw .choices(count, probabilities.count) }
            guard (0..<count).contains(gold) else { throw .gold(gold, choices: count) }
            for (index, probability) in probabilities.enumerated() {
                let distance = probability - (index == gold ? 1 : 0)
                sum += distance * distance
            }
        }
        return sum / Double(values.count)
    }
}

extension Aggregation.Failure: CustomStringConvertible {
    /// What was found and what was expected.
    var description: String {
        switch self {
        case .empty: "no document has a value, expected at least one"
        case .kind(let expected): "values are of another kind, expected \(expected)"
        case .classes(let found): "found the classes \(found), expected at most two, 1 among them"
        case .choices(let first, let other):
            "documents have \(first) and \(other) choices, expected as many in all"
        case .gold(let gold, let choices):
            "found the right class \(gold), expected 0 to \(choices - 1)"
        }
    }
}

/// Standard errors of metrics.
///
/// Source: lm-evaluation-harness 0.4.13, `stderr_for_metric` and the functions it chooses from.
enum StandardError {
    /// The standard error of a metric.
    ///
    /// - Parameters:
    ///   - aggregation: How the values are summed up.
    ///   - values: One a document.
    ///   - iterations: The number of bootstrap resamples, where they are needed; 0 asks for no errors.
    ///   - threads: How many threads draw; changes no result.
    /// - Returns: The error, or nil where there is none.
    /// - Throws: `Aggregation.Failure` where values are of another kind.
    static func of(
        _ aggregation: Aggregation, _ values: [MetricValue], iterations: Int, threads: Int
    ) throws(Aggregation.Failure) -> Double? {
        guard iterations > 0, values.count > 1 else { return nil }
        if aggregation == .mean { return ofMean(try aggregation.numbers(values)) }
        guard aggregation.isBootstrapped else { return nil }
        return try Bootstrap(iterations: iterations, threads: threads)
            .standardError(of: aggregation, values)
    }

    /// The sample's standard deviation over the square root of its size.
    static func ofMean(_ values: [Double]) -> Double {
        sampleDeviation(values) / Double(values.count).squareRoot()
    }

    /// The standard deviation with `n - 1` in the denominator.
    fileprivate static func sampleDeviation(_ values: [Double]) -> Double {
        let mean = Aggregation.mean(values)
        let squares = values.reduce(0) { $0 + pow($1 - mean, 2) }
        return (squares / Double(values.count - 1)).squareRoot()
    }

    /// The error of a mean over tasks weighted by their sizes.
    static func pooled(_ errors: [Double], sizes: [Int]) -> Double {
        let total = Double(sizes.reduce(0, +))
        let variance =
            zip(errors, sizes).reduce(0) { sum, task in
                sum + Double(task.1 - 1) * pow(task.0, 2) * Double(task.1)
            } / (total - Double(sizes.count))
        return (variance / total).squareRoot()
    }

    /// The error of a plain mean over tasks.
    static func ofPlainMean(_ errors: [Double]) -> Double {
        errors.reduce(0) { $0 + pow($1, 2) }.squareRoot() / Double(errors.count)
    }
}

/// Draws documents with replacement, again and again, to see how much a metric varies.
///
/// Fully deterministic: chunk `i` of 1000 draws has a generator of its own, seeded with `i`, so that
/// chunks can be computed on any threads in any order.
///
/// Source: lm-evaluation-harness 0.4.13, `bootstrap_stderr`.
struct Bootstrap {
    private let chunks: Int
    private let chunkSize: Int
    private let threads: Int

    /// Plans the draws.
    ///
    /// - Parameters:
    ///   - iterations: At least 1; what is left over from whole chunks of 1000 is not drawn.
    ///   - threads: At least 1.
    init(iterations: Int, threads: Int) {
        precondition(iterations > 0 && threads > 0)
        chunkSize = min(1000, iterations)
        chunks = iterations / chunkSize
        self.threads = threads
    }

    /// The standard deviation of a metric over all draws.
    fileprivate func standardError(
        of aggregation: Aggregation, _ values: [MetricValue]
    ) throws(Aggregation.Failure) -> Double {
        let replicates: [Double]
        switch aggregation {
        case .f1:
            let pairs = try Aggregation.classes(values)
            // Every draw has a part of these classes: if all of them are accepted, so is every part.
            _ = try Aggregation.f1(pairs)
            replicates = draw(count: values.count) { indices in
                (try? Aggregation.f1(indices.map { pairs[Int($0)] })) ?? .nan
            }
        case .matthewsCorrelation:
            let pairs = try Aggregation.classes(values)
            replicates = draw(count: values.count) { indices in
                Aggregation.matthews(indices.map { pairs[Int($0)] })
            }
        case .bleu, .chrF, .chrFPlus:
            let counts = try aggregation.corpusCounts(values)
            replicates = draw(count: values.count) { indices in
                aggregation.corpusScore(indices.reduce([]) { $0.adding(counts[Int($1)]) })
            }
        case .perplexity:
            let numbers = try aggregation.numbers(values)
            replicates = draw(count: values.count) { indices in
                // The harness's sum, without an array of the drawn values: 5·10⁸ draws for lambada.
                let (numbers, indices) = (numbers.span, indices.span)
                var sum = 0.0
                for place in indices.indices { sum += numbers[Int(indices[place])] }
                return Aggregation.perplexity.ofNumbers([sum / Double(indices.count)])
            }
        default:
            let numbers = try aggregation.numbers(values)
            replicates = draw(count: values.count) { indices in
                aggregation.ofNumbers(indices.map { numbers[Int($0)] })
            }
        }
        return StandardError.sampleDeviation(replicates)
    }

    private func draw(
        count: Int, _ metric: @Sendable ([Int32]) -> Double
    ) -> [Double] {
        let results = Mutex([[Double]](repeating: [], count: chunks))
        let nextChunk = Atomic(0)
        withoutActuallyEscaping(metric) { metric in
            DispatchQueue.concurrentPerform(iterations: min(threads, chunks)) { _ in
                var indices = [Int32](repeating: 0, count: count)
                while true {
                    let chunk = nextChunk.add(1, ordering: .relaxed).oldValue
                    guard chunk < chunks else { return }
                    var random = PythonRandom(seed: UInt64(chunk))
                    let values = (0..<chunkSize).map { _ in
                        random.drawIndices(into: &indices)
                        return metric(indices)
                    }
                    results.withLock { $0[chunk] = values }
                }
            }
        }
        return results.withLock { $0.flatMap { $0 } }
    }
}
