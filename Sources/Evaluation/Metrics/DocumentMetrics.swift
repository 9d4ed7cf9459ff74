import Glibc
import Python

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
