import Layers
import Prompting
import Tensors
import Tokenization

/// What a run would do, found out without changing a weight.
public struct DryRunReport: Equatable, Sendable {
    /// A record as the model will see it.
    public struct Sample: Equatable, Sendable {
        /// Where the record stands.
        public var origin: RecordOrigin
        /// The masked part, which carries no loss: its text, or its ids where no tokenizer is.
        public var masked: String
        /// The scored part.
        public var scored: String
        /// The number of masked tokens: the prompt, or the first token if there is none.
        public var maskedTokens: Int
        /// The number of scored tokens.
        public var scoredTokens: Int
    }

    /// The first records in the order in which they are trained on.
    public var samples: [Sample]
    /// What the user should know of the run.
    public var warnings: [RunWarning]
    /// What is trained, as files will hold it, those of a kind together.
    public var kinds: [TensorKind]
    /// The number of values that are trained.
    public var trainedValues: Int
    /// The number of values of the model without anything added to it.
    public var modelValues: Int
    /// The steps of the run.
    public var totalSteps: Int
    /// The tokens of the run, prompts included.
    public var totalTokens: Int
    /// The memory of the run.
    public var memory: MemoryEstimate
    /// The tokens a second of one pass, forward and backward, over the first records.
    public var tokensPerSecond: Double
    /// The time of the run at that speed; validation and saving are not counted.
    public var duration: Duration
}

extension Trainer {
    /// Finds out what a run would do; no weight changes and nothing is written.
    ///
    /// Speed is measured on the first pass of the first step, run twice, of which the second counts.
    ///
    /// - Parameters:
    ///   - tokenizer: Gives the samples' text; without one they show ids.
    ///   - sampleCount: How many records to show.
    /// - Returns: The report.
    public func dryRun(tokenizer: (any Tokenizer)?, sampleCount: Int = 3) -> DryRunReport {
        let order = plan.order(inEpoch: 0)
        let trained = optimizer.parameters.reduce(0) { $0 + $1.value.count }
        let memory = MemoryPlan(
            model: model, contents: contents, training: training, configuration: configuration)
        let first = plan.passes(of: plan.records(of: 0, in: order).map { training[$0] }).first ?? []
        let speed = measure(first)
        let tokens = totalTokens()
        return DryRunReport(
            samples: order.prefix(sampleCount).map { sample(training[$0], tokenizer) },
            warnings: warnings, kinds: TensorKind.kinds(of: contents.storedTensors),
            trainedValues: trained,
            modelValues: model.parameters.reduce(0) { $0 + $1.matrix.count },
            totalSteps: plan.totalSteps, totalTokens: tokens,
            memory: memory.estimate,
            tokensPerSecond: speed, duration: .seconds(Double(tokens) / speed))
    }

    private func sample(
        _ record: TrainingRecord, _ tokenizer: (any Tokenizer)?
    ) -> DryRunReport.Sample {
        func text(_ ids: ArraySlice<Int32>) -> String {
            tokenizer?.decode(Array(ids), skippingSpecialTokens: false)
                ?? ids.map(String.init).joined(separator: " ")
        }
        let scored = record.scored
        return DryRunReport.Sample(
            origin: record.origin, masked: text(record.tokens[..<scored.lowerBound]),
            scored: text(record.tokens[scored]), maskedTokens: scored.lowerBound,
            scoredTokens: scored.count)
    }

    /// The tokens of all steps; those of an incomplete epoch in proportion.
    private func totalTokens() -> Int {
        let inEpoch = training.reduce(0) { $0 + $1.tokens.count }
        return Int(Double(inEpoch) * plan.epoch(after: plan.totalSteps))
    }

    private func measure(_ records: [TrainingRecord]) -> Double {
        let texts = records.map { $0.text() }
        _ = model.accumulateGradients(of: texts, dropoutSeed: nil)
        model.engine.finish()
        let start = ContinuousClock.now
        _ = model.accumulateGradients(of: texts, dropoutSeed: nil)
        model.engine.finish()
        let seconds = start.duration(to: .now).seconds
        optimizer.clearGradients()
        return Double(texts.reduce(0) { $0 + $1.tokens.count }) / max(seconds, 1e-9)
    }
}
