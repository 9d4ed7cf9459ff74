import Layers
import Storage
import Tensors

/// Trains the parameters of some contents on records, step after step.
///
/// A run is a function of its records, configuration and first weights: the same bits for any
/// number of threads, and for a run that was stopped and resumed the same as for an unbroken one.
public final class Trainer {
    let model: any TrainableModel
    let contents: any CheckpointContents
    let training: [TrainingRecord]
    let validation: [TrainingRecord]
    let samples: SamplePrompts?
    let configuration: TrainingConfiguration
    let folder: String
    let plan: StepPlan
    let optimizer: Optimizer
    /// What a checkpoint that is continued must agree with; the number of the run comes when it begins.
    var identity: RunIdentity
    /// What is known of the run that its user should know before it begins.
    public let warnings: [RunWarning]
    private let schedule: LearningRateSchedule
    private var order: (epoch: Int, records: [Int])?
    var state = ResumeState()

    /// Prepares a run; makes the contents' parameters trainable.
    ///
    /// - Parameters:
    ///   - model: The model, its adapter attached and its flow set.
    ///   - contents: What is trained, and how it is stored.
    ///   - training: The records to train on, at least one.
    ///   - validation: The records to validate on; may be empty.
    ///   - samples: Prompts that are answered at each validation, or as often without.
    ///   - configuration: The settings.
    ///   - folder: The output folder; made when the run begins.
    ///   - warnings: What there is to say of the records.
    ///   - settings: What else a resumed run must have in common with the one it continues, such as
    ///     topology and rank.
    ///   - machine: What only changes the last bits of the result, such as the engine.
    ///   - availableBytes: The memory that there was before the model was loaded; `nil` if nobody knows.
    /// - Throws: ``SettingError``, ``TrainingError/nothingTrainable``,
    ///   ``TrainingError/memory(needed:available:fit:)``,
    ///   ``TrainingError/noValidation(setting:)``, or ``DataError/noRecords(files:)``.
    public init(
        model: any TrainableModel, contents: any CheckpointContents, training: [TrainingRecord],
        validation: [TrainingRecord] = [], samples: SamplePrompts? = nil,
        configuration: TrainingConfiguration, folder: String,
        warnings: [RunWarning] = [], settings: JSONObject = [:], machine: JSONObject = [:],
        availableBytes: Int? = nil
    ) throws {
        try configuration.validate()
        guard !training.isEmpty else { throw DataError.noRecords(files: ["training data"]) }
        guard !contents.parameters.isEmpty else { throw TrainingError.nothingTrainable }
        for (isAsked, setting) in [
            (configuration.savesBest, "save-best"),
            (configuration.earlyStoppingPatience > 0, "early-stopping-patience"),
        ] where isAsked && validation.isEmpty {
            throw TrainingError.noValidation(setting: setting)
        }
        self.model = model
        self.contents = contents
        self.folder = folder
        self.training = training
        self.validation = validation
        self.samples = samples
        self.configuration = configuration
        if let availableBytes {
            try MemoryPlan(
                model: model, contents: contents, training: training, configuration: configuration
            ).requireRoom(in: availableBytes)
        }
        plan = StepPlan(recordCount: training.count, configuration: configuration)
        schedule = LearningRateSchedule(
            kind: configuration.schedule, peak: configuration.learningRate,
            warmup: configuration.warmupSteps, total: plan.totalSteps)
        self.warnings =
            warnings
            + RunWarning.warnings(
                of: configuration, records: training.count, plan: plan, schedule: schedule)
        optimizer = Optimizer(
            contents.parameters, configuration: configuration, engine: model.engine)
        var decisive = configuration.decisiveSettings
        for member in settings.members { decisive[member.key] = member.value }
        identity = RunIdentity(
            data: RunIdentity.fingerprint(of: training), settings: decisive,
            totalSteps: plan.totalSteps,
            dependsOnLength: configuration.schedule.dependsOnLength
                || (0..<1).contains(configuration.warmupSteps) && configuration.warmupSteps != 0,
            model: model.contentFingerprint, machine: machine)
    }

    /// What one step computed.
    struct StepResult {
        var loss: Double
        var gradientNorm: Double
        var learningRate: Double
        var tokens: Int
        var scoredTokens: Int
        var duration: Duration
        /// What of the trained has no gradient; found out in the first step only.
        var targetsWithoutGradient: [String] = []
    }

    /// Runs the next step.
    ///
    /// - Throws: ``TrainingError/notFinite(_:value:step:origins:)``; then no parameter has moved.
    func advance() throws -> StepResult {
        let start = ContinuousClock.now
        let records = nextRecords()
        let scoredTokens = records.reduce(0) { $0 + $1.scored.count }
        optimizer.clearGradients()
        var losses: [Deferred<Double>] = []
        for (index, pass) in plan.passes(of: records).enumerated() {
            let texts = pass.map {
                $0.text(
                    weight: configuration.lossReduction.weight(
                        of: $0, records: records.count, tokens: scoredTokens))
            }
            var generator = SplitMix64(seed: configuration.seed, .dropout, state.step, index)
            losses.append(
                model.accumulateGradients(of: texts, dropoutSeed: generator.next()))
        }
        let gradientNorm = optimizer.gradientNorm()
        let loss = losses.reduce(0) { $0 + $1.value }
        try requireFinite(loss, .loss, records)
        let norm = gradientNorm.value
        try requireFinite(norm, .gradientNorm, records)
        let idle = state.step == 0 ? optimizer.targetsWithoutGradient() : []
        let rate = schedule.rate(at: state.step)
        optimizer.update(learningRate: rate, norm: norm)

        let tokens = records.reduce(0) { $0 + $1.tokens.count }
        state.step += 1
        state.tokensSeen += tokens
        state.pending.lossSum += loss
        state.pending.steps += 1
        state.pending.scoredTokens += scoredTokens
        return StepResult(
            loss: loss, gradientNorm: norm, learningRate: rate, tokens: tokens,
            scoredTokens: scoredTokens, duration: start.duration(to: .now),
            targetsWithoutGradient: idle)
    }

    private func nextRecords() -> [TrainingRecord] {
        let epoch = state.step / plan.stepsPerEpoch
        if order?.epoch != epoch { order = (epoch, plan.order(inEpoch: epoch)) }
        return plan.records(of: state.step, in: order?.records ?? []).map { training[$0] }
    }

    func requireFinite(
        _ value: Double, _ quantity: TrainingError.Quantity, _ records: [TrainingRecord]
    ) throws {
        guard value.isFinite else {
            let step = quantity == .validationLoss ? state.step : state.step + 1
            throw TrainingError.notFinite(
                quantity, value: value, step: step, origins: records.map(\.origin.description))
        }
    }
}
