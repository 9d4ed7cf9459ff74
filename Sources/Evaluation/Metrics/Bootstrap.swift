import Dispatch
import Python
import Synchronization

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
    func standardError(
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
