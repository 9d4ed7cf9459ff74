import Layers

/// The memory of a run, and the settings with which it fits into less.
public struct MemoryPlan {
    /// The largest change of settings with which a run fits.
    public enum Fit: Equatable, Sendable {
        /// As many records a step, in more and smaller batches.
        case batches(of: Int, accumulation: Int)
        /// Shorter records, one at a time.
        case length(Int)
    }

    private let model: any TrainableModel
    private let training: [TrainingRecord]
    private let configuration: TrainingConfiguration
    private let trainedValues: Int
    private let addedValues: Int

    /// Describes a run.
    ///
    /// - Parameters:
    ///   - model: The model, its adapter attached.
    ///   - contents: What is trained.
    ///   - training: The records.
    ///   - configuration: The settings.
    public init(
        model: any TrainableModel, contents: any CheckpointContents, training: [TrainingRecord],
        configuration: TrainingConfiguration
    ) {
        self.model = model
        self.training = training
        self.configuration = configuration
        let own = Set(model.parameters.map(ObjectIdentifier.init))
        trainedValues = contents.parameters.reduce(0) { $0 + $1.value.count }
        addedValues = contents.parameters.filter { !own.contains(ObjectIdentifier($0)) }
            .reduce(0) { $0 + $1.value.count }
    }

    /// The memory with the settings as they are.
    public var estimate: MemoryEstimate { estimate(configuration) }

    /// Refuses a run that needs more memory than there is.
    ///
    /// - Parameter available: The memory that there is, in bytes.
    /// - Throws: ``TrainingError/memory(needed:available:fit:)``.
    public func requireRoom(in available: Int) throws {
        let needed = estimate
        guard needed.total > available else { return }
        throw TrainingError.memory(needed: needed, available: available, fit: fit(in: available))
    }

    /// The largest batches of as many records a step that fit; those of the configuration if none do.
    ///
    /// - Parameter available: The memory that there is, in bytes; `nil` if nobody knows.
    /// - Returns: The configuration with other batches.
    public func fittingBatches(in available: Int?) -> TrainingConfiguration {
        guard let available, estimate.total > available else { return configuration }
        return smallerBatches.first { estimate($0).total <= available } ?? configuration
    }

    private func fit(in available: Int) -> Fit? {
        if let x = smallerBatches.first(where: { estimate($0).total <= available }) {
            return .batches(of: x.batchSize, accumulation: x.gradientAccumulationSteps)
        }
        let largest = largestPass(configuration)
        var (fits, tooLong) = (1, largest.tokens)
        while tooLong - fits > 1 {
            let length = (fits + tooLong) / 2
            let needed = estimate(tokens: length, scored: min(length, largest.scored)).total
            if needed <= available { fits = length } else { tooLong = length }
        }
        return fits > 1 ? .length(fits) : nil
    }

    /// Configurations with as many records a step in smaller batches, the largest first.
    private var smallerBatches: [TrainingConfiguration] {
        let (records, isTooLarge) = configuration.batchSize.multipliedReportingOverflow(
            by: configuration.gradientAccumulationSteps)
        guard !isTooLarge else { return [] }
        let most = min(configuration.batchSize - 1, training.count, StepPlan.tokensPerPass)
        return stride(from: most, to: 0, by: -1).filter { records % $0 == 0 }.map { size in
            var x = configuration
            x.batchSize = size
            x.gradientAccumulationSteps = records / size
            return x
        }
    }

    private func estimate(_ configuration: TrainingConfiguration) -> MemoryEstimate {
        let largest = largestPass(configuration)
        return estimate(tokens: largest.tokens, scored: largest.scored)
    }

    private func estimate(tokens: Int, scored: Int) -> MemoryEstimate {
        MemoryEstimate(
            modelBytes: model.parameters.reduce(0) {
                $0 + $1.matrix.byteCount + model.engine.keptBytes(beside: $1.matrix)
            },
            trainedValues: trainedValues, addedValues: addedValues,
            working: model.workingMemory(tokens: tokens, scoredTokens: scored))
    }

    /// The most tokens, and the most scored ones, that one pass of the first epoch holds.
    private func largestPass(
        _ configuration: TrainingConfiguration
    ) -> (tokens: Int, scored: Int) {
        let plan = StepPlan(recordCount: training.count, configuration: configuration)
        let order = plan.order(inEpoch: 0)
        var largest = (tokens: 0, scored: 0)
        for step in 0..<min(plan.stepsPerEpoch, plan.totalSteps) {
            for pass in plan.passes(of: plan.records(of: step, in: order).map { training[$0] }) {
                largest.tokens = max(largest.tokens, pass.reduce(0) { $0 + $1.tokens.count })
                largest.scored = max(largest.scored, pass.reduce(0) { $0 + $1.scored.count })
            }
        }
        return largest
    }
}

extension TrainingConfiguration {
    /// With the batches of the newest checkpoint in a folder, if there is one that can be read.
    ///
    /// What fits may be another size today, and a run goes on with the size that it began with.
    public func withBatches(ofRunIn folder: String) -> TrainingConfiguration? {
        guard let checkpoint = try? CheckpointFolder.all(in: folder).first,
            let settings = try? ResumeState.read(
                checkpoint.resume, expectedStep: checkpoint.step
            ).identity.settings,
            let size = settings["batch_size"]?.integerValue, size > 0,
            let accumulation = settings["gradient_accumulation_steps"]?.integerValue,
            accumulation > 0
        else { return nil }
        var x = self
        x.batchSize = size
        x.gradientAccumulationSteps = accumulation
        return x
    }
}
