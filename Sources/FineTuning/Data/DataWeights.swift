import Tensors

/// How often the records of each data set are seen in an epoch.
///
/// With the weight 2 each is seen twice, with 0.5 half of them, drawn by the seed, once.
public struct DataWeights: Sendable {
    private let weights: [Double]
    private let origins: [String: Int]

    /// The largest weight.
    static let limit = 1000.0

    /// Gives each path of the data its weight.
    ///
    /// - Parameters:
    ///   - weights: One for each path, or none at all for 1 each.
    ///   - paths: The number of paths.
    ///   - files: The files behind them.
    /// - Throws: ``DataError``.
    public init(_ weights: [Double], paths: Int, files: DataFiles) throws {
        guard weights.isEmpty || weights.count == paths else {
            throw DataError.weightCount(weights: weights.count, paths: paths)
        }
        for weight in weights where !(weight > 0 && weight <= DataWeights.limit) {
            throw DataError.weight(weight)
        }
        self.weights = weights
        origins = files.origins
    }

    /// The records as often as they are seen.
    ///
    /// - Parameters:
    ///   - records: Those to train on, each once.
    ///   - seed: The seed of the run.
    /// - Returns: All of them once, as far as their weights go, then again.
    /// - Throws: ``DataError/allWeightedOut(records:)``.
    public func applied(
        to records: [TrainingRecord], seed: UInt64
    ) throws -> [TrainingRecord] {
        if weights.isEmpty { return records }
        var places: [[Int]] = Array(repeating: [], count: weights.count)
        for (place, record) in records.enumerated() {
            places[origins[record.origin.file] ?? 0].append(place)
        }
        var times = [Int](repeating: 0, count: records.count)
        for (number, weight) in weights.enumerated() {
            let whole = weight.rounded(.down)
            let count = Int(((weight - whole) * Double(places[number].count)).rounded())
            for place in places[number] { times[place] = Int(whole) }
            var generator = SplitMix64(seed: seed, .weights, number)
            let drawn = generator.permutation(of: places[number].count).prefix(count)
            for index in drawn { times[places[number][index]] += 1 }
        }
        let most = times.max() ?? 0
        guard most > 0 else { throw DataError.allWeightedOut(records: records.count) }
        return (0..<most).flatMap { round in
            records.indices.filter { times[$0] > round }.map { records[$0] }
        }
    }
}
