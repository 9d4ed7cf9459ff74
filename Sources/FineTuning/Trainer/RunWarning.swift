/// What a user should know of a run: that it learns less, or something else, than it seems to.
///
/// Those that are known before the first step are reported before it. All are events, and rows of
/// `metrics.jsonl`.
public enum RunWarning: Equatable, Sendable {
    /// Records are not learnt as they stand; of which set, how many and of how many.
    case records(RecordRemark, EncodedRecords.Tally, of: Int, set: String)
    /// The learning rate is 0.
    case noLearningRate
    /// The warm-up is not over when the run is; a run of one step has the rate 0.
    case endlessWarmup(warmup: Int, steps: Int)
    /// A step has room for more records than there are.
    case fewRecords(records: Int, recordsPerStep: Int)
    /// The epochs asked for are less than a step; one step is made.
    case lessThanOneStep(epochs: Double)
    /// In the first step no gradient reached some of what is trained.
    case noGradient(targets: [String])
    /// No validation had a lower loss than the one before the first step.
    case noImprovement(best: BestEvaluation, before: Double)

    /// What the warning is about, in one word that does not change.
    public var code: String {
        switch self {
        case .records(let remark, _, _, _): remark.rawValue
        case .noLearningRate: "no_learning_rate"
        case .endlessWarmup: "endless_warmup"
        case .fewRecords: "few_records"
        case .lessThanOneStep: "less_than_one_step"
        case .noGradient: "no_gradient"
        case .noImprovement: "no_improvement"
        }
    }
}

extension RunWarning: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .records(let remark, let tally, let total, let set):
            "\(tally.count) of \(total) \(set) records \(remark.sentence); "
                + "the first is \(tally.first)"
        case .noLearningRate:
            "the learning rate is 0, so nothing is learnt; set --learning-rate"
        case .endlessWarmup(let warmup, let steps):
            "the warm-up of \(warmup) steps is not over after the run's \(steps), "
                + (steps == 1
                    ? "whose rate is 0, so nothing is learnt"
                    : "so that the learning rate is never reached")
                + "; set --warmup-steps 0.1, a tenth of the run"
        case .fewRecords(let records, let recordsPerStep):
            "\(records) records are fewer than the \(recordsPerStep) of a step, so each step has all "
                + "of them; lower --batch-size"
        case .lessThanOneStep(let epochs):
            "\(epochs) epochs are less than one step; one step is made"
        case .noGradient(let targets):
            "no gradient reaches \(targets.joined(separator: ", ")), which stay as they are"
        case .noImprovement(let best, let before):
            "the lowest held-out loss of the run, \(Float(best.loss)) at step \(best.step), is not below "
                + "\(Float(before)), that before training; lower --learning-rate"
        }
    }
}

extension RunWarning {
    /// What there is to say of some data.
    ///
    /// - Parameters:
    ///   - encoded: The records.
    ///   - set: What they are for: `training` or `validation`.
    /// - Returns: A warning for each kind.
    public static func warnings(of encoded: EncodedRecords, set: String) -> [RunWarning] {
        let total =
            encoded.records.count + encoded.count(.droppedLong)
            + encoded.count(.droppedUnscored)
        return RecordRemark.allCases.compactMap { remark in
            encoded.remarks[remark].map { .records(remark, $0, of: total, set: set) }
        }
    }

    /// What there is to say of settings that can do nothing.
    static func warnings(
        of configuration: TrainingConfiguration, records: Int, plan: StepPlan,
        schedule: LearningRateSchedule
    ) -> [RunWarning] {
        var warnings: [RunWarning] = []
        if configuration.learningRate == 0 {
            warnings.append(.noLearningRate)
        } else if schedule.warmup >= plan.totalSteps {
            warnings.append(.endlessWarmup(warmup: schedule.warmup, steps: plan.totalSteps))
        }
        let (product, isTooLarge) = configuration.batchSize.multipliedReportingOverflow(
            by: configuration.gradientAccumulationSteps)
        if isTooLarge || product > records {
            warnings.append(
                .fewRecords(records: records, recordsPerStep: isTooLarge ? .max : product))
        }
        if configuration.maxSteps <= 0, configuration.epochs * Double(plan.stepsPerEpoch) < 1 {
            warnings.append(.lessThanOneStep(epochs: configuration.epochs))
        }
        return warnings
    }
}
