import Glibc

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
    static func sampleDeviation(_ values: [Double]) -> Double {
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
