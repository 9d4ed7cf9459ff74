import ArgumentParser
import FineTuning

extension DataFormat: ExpressibleByArgument {}
extension Truncation: ExpressibleByArgument {}
extension LossReduction: ExpressibleByArgument {}
extension ReportTarget: ExpressibleByArgument {}
extension LearningRateSchedule.Kind: ExpressibleByArgument {}

/// How many records are computed at once.
enum BatchSize: Equatable, ExpressibleByArgument {
    case records(Int)
    case automatic

    init?(argument: String) {
        if argument == "auto" {
            self = .automatic
        } else if let count = Int(argument) {
            self = .records(count)
        } else {
            return nil
        }
    }

    var defaultValueDescription: String {
        if case .records(let count) = self { "\(count)" } else { "auto" }
    }
}

/// The settings of the run itself; defaults are those of `TrainingConfiguration`.
struct TrainingOptions: ParsableArguments {
    private static let defaults = TrainingConfiguration()

    @Option(help: "How records are laid out: auto, alpaca, completions, chat, text or ids.")
    var dataFormat = defaults.dataFormat

    @Option(
        help: """
            Other names for the records' fields, as instruction=question,output=answer: what is \
            wanted, and the column that has it.
            """)
    var columns = defaults.columns

    @Option(
        help: """
            The prompt: alpaca-short (the paper's code), alpaca (with Stanford's preamble), chat \
            (the tokenizer's), none, or a Jinja file.
            """)
    var template = defaults.template

    @Option(help: "The date that templates see, as 2024-07-26.")
    var templateDate = defaults.templateDate

    @Option(help: "Maximum number of tokens per record.")
    var maxSeqLength = defaults.maxSequenceLength

    @Option(
        help: "What happens to longer records: keep-start cuts their end off, drop leaves them out."
    )
    var truncation = defaults.truncation

    @Option(help: "Records held out for validation: a fraction below 1 or a count.")
    var valSize = defaults.validationSize.number

    @Option(help: "Steps from one validation to the next.")
    var stepsPerEval = defaults.stepsPerEvaluation

    @Option(help: "The learning rate after the warm-up.")
    var learningRate = defaults.learningRate

    @Option(help: "How the rate changes: constant, constant_with_warmup, linear or cosine.")
    var lrSchedulerType = defaults.schedule

    @Option(help: "Steps of the warm-up; below 1 a fraction of all steps.")
    var warmupSteps = defaults.warmupSteps

    @Option(help: "Decoupled weight decay.")
    var weightDecay = defaults.weightDecay

    @Option(name: .customLong("adam-beta1"), help: "The decay of the first moment.")
    var adamBeta1 = defaults.adamBeta1

    @Option(name: .customLong("adam-beta2"), help: "The decay of the second moment.")
    var adamBeta2 = defaults.adamBeta2

    @Option(help: "Added to the root of the second moment.")
    var adamEpsilon = defaults.adamEpsilon

    @Option(help: "The norm at which gradients are clipped; 0 for no clipping.")
    var maxGradNorm = defaults.maxGradientNorm

    @Option(
        help: """
            Records computed at once; auto takes 16, or as many as fit into memory with more \
            accumulation, so that a step has as many records.
            """)
    var batchSize = BatchSize.records(defaults.batchSize)

    @Option(help: "Batches that make up one optimiser step.")
    var gradientAccumulationSteps = defaults.gradientAccumulationSteps

    @Option(
        help: """
            The loss of a step: the mean over its scored tokens (token), or of each record's own \
            mean (record), as in the released code.
            """)
    var lossReduction = defaults.lossReduction

    @Option(help: "Number of passes over the training data.")
    var numTrainEpochs = defaults.epochs

    @Option(help: "Number of optimiser steps, overriding the epochs; -1 for no limit.")
    var maxSteps = defaults.maxSteps

    @Flag(inversion: .prefixedNo, help: "Shuffle the records in each epoch.")
    var shuffle = defaults.shuffles

    @Option(help: "Seed of all random numbers; the same seed gives the same bits.")
    var seed = defaults.seed

    @Option(help: "Steps from one checkpoint to the next.")
    var saveSteps = defaults.saveSteps

    @Option(help: "Checkpoints that are kept; 0 keeps all.")
    var saveTotalLimit = defaults.saveTotalLimit

    @Option(help: "Steps from one line of metrics.jsonl to the next.")
    var loggingSteps = defaults.loggingSteps

    @Flag(
        inversion: .prefixedNo,
        help: """
            Whether the checkpoint with the lowest held-out loss is kept beside the newest ones, and \
            is the result.
            """)
    var saveBest = defaults.savesBest

    @Option(
        help: "End the run after this many validations in a row without a lower loss; 0 for never.")
    var earlyStoppingPatience = defaults.earlyStoppingPatience

    @Option(help: "How much lower the held-out loss must be to count as lower for that.")
    var earlyStoppingMinDelta = defaults.earlyStoppingMinDelta

    @Option(
        help: "Where curves and sample answers are reported: tensorboard (in runs/) or none.")
    var reportTo = defaults.reportTarget

    @Option(help: "The most tokens of an answer to one of --sample-prompts.")
    var sampleTokens = defaults.sampleTokens

    /// The configuration that the options make up.
    var configuration: TrainingConfiguration {
        var x = TrainingConfiguration()
        x.dataFormat = dataFormat
        x.columns = columns
        x.template = template
        x.truncation = truncation
        x.maxSequenceLength = maxSeqLength
        x.stepsPerEvaluation = stepsPerEval
        x.templateDate = templateDate
        x.validationSize = ValidationSize(valSize) ?? .none
        x.learningRate = learningRate
        x.schedule = lrSchedulerType
        x.warmupSteps = warmupSteps
        x.weightDecay = weightDecay
        x.adamBeta1 = adamBeta1
        x.adamBeta2 = adamBeta2
        x.adamEpsilon = adamEpsilon
        x.maxGradientNorm = maxGradNorm
        x.gradientAccumulationSteps = gradientAccumulationSteps
        if case .records(let count) = batchSize { x.batchSize = count }
        x.lossReduction = lossReduction
        x.epochs = numTrainEpochs
        x.maxSteps = maxSteps
        x.shuffles = shuffle
        x.seed = seed
        x.saveSteps = saveSteps
        x.saveTotalLimit = saveTotalLimit
        x.loggingSteps = loggingSteps
        x.savesBest = saveBest
        x.sampleTokens = sampleTokens
        x.reportTarget = reportTo
        x.earlyStoppingPatience = earlyStoppingPatience
        x.earlyStoppingMinDelta = earlyStoppingMinDelta
        return x
    }

    func validate() throws {
        guard ValidationSize(valSize) != nil else {
            throw ValidationError(
                "--val-size is \(valSize), expected a fraction below 1 or a whole number")
        }
        do {
            try configuration.validate()
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
