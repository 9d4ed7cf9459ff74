/// What a run reports while it goes on; the executable decides how to show it.
public enum TrainingEvent: Sendable {
    /// The run begins, or goes on from a checkpoint.
    case started(TrainingOutline)
    /// A step is done.
    case progress(TrainingProgress)
    /// A line was logged.
    case logged(StepMetrics)
    /// The validation records were scored.
    case evaluated(EvaluationMetrics)
    /// A sample prompt was answered.
    case answered(SampleAnswer)
    /// A checkpoint was saved.
    case saved(folder: String)
    /// The run learns less, or something else, than it seems to.
    case noticed(RunWarning)
    /// Something is not as one might expect; the run goes on.
    case warning(String)
    /// The run is over, or was asked to stop.
    case finished(TrainingSummary)
}

/// What a run is about to do.
public struct TrainingOutline: Equatable, Sendable {
    /// The records to train on.
    public var records: Int
    /// The records held out.
    public var validationRecords: Int
    /// The steps of the whole run.
    public var totalSteps: Int
    /// The steps of one epoch.
    public var stepsPerEpoch: Int
    /// The number of trainable values.
    public var trainableValues: Int
    /// The checkpoint that is continued, if any.
    public var resumedFrom: String?
    /// The number of steps that were finished before.
    public var finishedSteps: Int
}

/// How far a run is.
public struct TrainingProgress: Equatable, Sendable {
    /// The number of finished steps.
    public var step: Int
    /// The steps of the whole run.
    public var totalSteps: Int
    /// The epochs done, with a fraction.
    public var epoch: Double
    /// The loss of the last step.
    public var loss: Double
    /// The tokens a second of the last step, prompts included.
    public var tokensPerSecond: Double
    /// The time left, if steps go on taking as long as those of this process did on average,
    /// validation and saving included.
    public var remaining: Duration
    /// The most memory the process has used, in bytes; nil where the system does not tell.
    public var peakBytes: Int?
}

/// One logged line about training.
public struct StepMetrics: Equatable, Sendable {
    /// The number of finished steps.
    public var step: Int
    /// The epochs done, with a fraction.
    public var epoch: Double
    /// The mean loss of the steps since the last line.
    public var loss: Double
    /// The learning rate used in the last step.
    public var learningRate: Double
    /// The norm of the last step's gradients before clipping.
    public var gradientNorm: Double
    /// The tokens a second since the last line, prompts included; only steps are timed.
    public var tokensPerSecond: Double
    /// The scored tokens since the last line.
    public var scoredTokens: Int
    /// The time since this process began to train, validation and saving included.
    public var elapsed: Duration
    /// The most memory the process has used, in bytes; nil where the system does not tell.
    public var peakBytes: Int?
}

/// One logged line about validation.
public struct EvaluationMetrics: Equatable, Sendable {
    /// The number of finished steps.
    public var step: Int
    /// The epochs done, with a fraction.
    public var epoch: Double
    /// The mean over all scored tokens of the validation records.
    public var loss: Double
    /// How long it took.
    public var runtime: Duration
    /// The number of validation records.
    public var records: Int
    /// The number of batches they were scored in.
    public var batches: Int
}

/// How a run ended.
public struct TrainingSummary: Equatable, Sendable {
    /// The number of finished steps.
    public var step: Int
    /// The steps of the whole run.
    public var totalSteps: Int
    /// The mean loss over the steps that this process ran; nil if there were none.
    public var trainingLoss: Double?
    /// The loss of the last validation, if there was one.
    public var validationLoss: Double?
    /// How long this process trained.
    public var runtime: Duration
    /// The tokens a second of this process, prompts included, validation and saving left out.
    public var tokensPerSecond: Double
    /// Whether the run was asked to stop before its end.
    public var wasStopped: Bool
    /// Whether there was nothing left to do: the run that was to go on had reached its end.
    public var wasFinished = false
    /// Whether validation ended the run before its last step.
    public var endedEarly = false
    /// The validation whose weights are in the output folder; nil if they are those of the last step.
    public var best: BestEvaluation?
}

/// The validation with the lowest loss of a run.
public struct BestEvaluation: Equatable, Sendable {
    /// The number of finished steps.
    public var step: Int
    /// The mean over all scored tokens of the validation records.
    public var loss: Double
}
