import Prompting

/// Every setting of a training run but the model, its topology and its adapter.
///
/// Defaults are written here and nowhere else; those of the optimiser are the released code's.
public struct TrainingConfiguration: Equatable, Sendable {
    /// How the data's records are laid out.
    public var dataFormat = DataFormat.auto
    /// Other names for the records' fields, as ``ColumnNames`` reads them; empty for none.
    public var columns = ""
    /// The name of a built-in template, or the path of a Jinja file.
    public var template = PromptTemplate.standardName
    /// The day that templates are told, as `2024-07-26`.
    public var templateDate = TemplateTime.fixedDate
    /// The most tokens of a record, at least 2.
    public var maxSequenceLength = 2048
    /// What happens to longer records.
    public var truncation = Truncation.keepStart
    /// What is held out of the training data for validation.
    public var validationSize = ValidationSize.none
    /// The number of steps from one validation to the next, at least 1.
    public var stepsPerEvaluation = 200

    /// The learning rate after the warm-up.
    public var learningRate = 2e-5
    /// How the rate changes from step to step.
    public var schedule = LearningRateSchedule.Kind.constantWithWarmup
    /// The steps of the warm-up; below 1 a fraction of all steps.
    public var warmupSteps = 20.0
    /// The decoupled weight decay; biases, normalisations, `A_log` and `D` are spared.
    public var weightDecay = 0.0
    /// The decay of the first moment, in [0, 1).
    public var adamBeta1 = 0.9
    /// The decay of the second moment, in [0, 1).
    public var adamBeta2 = 0.999
    /// Added to the root of the second moment.
    public var adamEpsilon = 1e-8
    /// The norm at which gradients are clipped; 0 for no clipping.
    public var maxGradientNorm = 1.0

    /// The most records that are computed at once.
    public var batchSize = 16
    /// How many times that many records make up one step.
    public var gradientAccumulationSteps = 1
    /// How the tokens of a step make up its loss.
    public var lossReduction = LossReduction.token

    /// The number of passes over the training data; unless ``maxSteps`` is above 0.
    public var epochs = 1.0
    /// The number of steps, where it is above 0.
    public var maxSteps = -1
    /// Shuffle the records in each epoch.
    public var shuffles = true
    /// Decides all that is drawn in the run.
    public var seed: UInt64 = 42

    /// The number of steps from one checkpoint to the next, at least 1.
    public var saveSteps = 100
    /// The number of checkpoints that are kept; 0 keeps all.
    public var saveTotalLimit = 2
    /// The number of steps from one logged line to the next, at least 1.
    public var loggingSteps = 10

    /// Whether the checkpoint with the lowest validation loss is kept, and is the result.
    public var savesBest = false
    /// The number of validations in a row without a lower loss that end the run; 0 for none.
    public var earlyStoppingPatience = 0
    /// How much lower a loss must be to count as lower for ``earlyStoppingPatience``.
    public var earlyStoppingMinDelta = 0.0
    /// Where the run is reported beside its own files.
    public var reportTarget = ReportTarget.none
    /// The most tokens of an answer to a sample prompt, at least 1.
    public var sampleTokens = 64

    /// Creates the defaults, to be changed field by field.
    public init() {}
}

/// What happens to records that have too many tokens.
public enum Truncation: String, CaseIterable, Sendable {
    /// Their end is cut off, the end token first.
    case keepStart = "keep-start"
    /// They are left out.
    case drop
}
