import Tensors

/// Which records each optimiser step sees, as a function of the step's number alone.
///
/// An epoch runs through all records once, in an order of its own; its last step takes what is
/// left. A step is cut into passes of at most `batchSize` records, and of at most
/// ``tokensPerPass`` tokens unless one record alone has more, so that memory stays bounded. How a
/// step is cut does not change what it computes, except for rounding.
public struct StepPlan: Sendable {
    /// The most tokens that are computed at once, unless a record alone has more: enough for fast
    /// products, few enough to keep what the backward pass needs.
    public static let tokensPerPass = 1024

    /// The number of steps in an epoch.
    public let stepsPerEpoch: Int
    /// The number of steps in the run.
    public let totalSteps: Int

    private let recordCount: Int
    private let recordsPerStep: Int
    private let batchSize: Int
    private let seed: UInt64?

    /// Plans a run.
    ///
    /// - Parameters:
    ///   - recordCount: The number of records, at least 1.
    ///   - configuration: Batch size, accumulation, epochs or steps, shuffling and seed.
    public init(recordCount: Int, configuration: TrainingConfiguration) {
        precondition(recordCount > 0, "no records")
        self.recordCount = recordCount
        batchSize = configuration.batchSize
        let (product, isTooLarge) = batchSize.multipliedReportingOverflow(
            by: configuration.gradientAccumulationSteps)
        recordsPerStep = isTooLarge ? recordCount : min(product, recordCount)
        stepsPerEpoch = (recordCount + recordsPerStep - 1) / recordsPerStep
        let wanted = (configuration.epochs * Double(stepsPerEpoch)).rounded(.up)
        totalSteps =
            configuration.maxSteps > 0
            ? configuration.maxSteps : Int(min(max(wanted, 1), Double(Int32.max)))
        seed = configuration.shuffles ? configuration.seed : nil
    }

    /// The epochs that are done after so many steps.
    public func epoch(after steps: Int) -> Double { Double(steps) / Double(stepsPerEpoch) }

    /// The order of the records in an epoch.
    ///
    /// - Parameter epoch: The epoch's number, from 0.
    /// - Returns: The places of the records; those of the data if they are not shuffled.
    public func order(inEpoch epoch: Int) -> [Int] {
        guard let seed else { return Array(0..<recordCount) }
        var generator = SplitMix64(seed: seed, .order, epoch)
        return generator.permutation(of: recordCount)
    }

    /// The records of one step.
    ///
    /// - Parameters:
    ///   - step: The step's number, from 0.
    ///   - order: The order of its epoch, `step / stepsPerEpoch`.
    /// - Returns: Their places in the data.
    public func records(of step: Int, in order: [Int]) -> ArraySlice<Int> {
        let start = step % stepsPerEpoch * recordsPerStep
        return order[start..<min(start + recordsPerStep, recordCount)]
    }

    /// Cuts the records of a step into passes.
    public func passes(of records: some Sequence<TrainingRecord>) -> [[TrainingRecord]] {
        StepPlan.passes(of: records, batchSize: batchSize)
    }

    /// Cuts records into pieces that are computed at once, in order.
    static func passes(
        of records: some Sequence<TrainingRecord>, batchSize: Int, tokens: Int = tokensPerPass
    ) -> [[TrainingRecord]] {
        let records = Array(records)
        return stride(from: 0, to: records.count, by: batchSize).flatMap {
            evenPasses(of: records[$0..<min($0 + batchSize, records.count)], tokens: tokens)
        }
    }

    /// Passes of about the same size: as few as the limit allows, or one more.
    private static func evenPasses(
        of records: ArraySlice<TrainingRecord>, tokens limit: Int
    ) -> [[TrainingRecord]] {
        let total = records.reduce(0) { $0 + $1.tokens.count }
        let share = total / max((total + limit - 1) / limit, 1)
        var passes: [[TrainingRecord]] = []
        var held = limit
        for record in records {
            let count = record.tokens.count
            if held + count > limit || held + count / 2 > share {
                passes.append([])
                held = 0
            }
            passes[passes.count - 1].append(record)
            held += count
        }
        return passes
    }
}
