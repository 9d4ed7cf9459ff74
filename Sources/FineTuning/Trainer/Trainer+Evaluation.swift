import MambaLM

extension Trainer {
    /// Scores the validation records.
    ///
    /// - Throws: ``TrainingError/notFinite(_:value:step:origins:)``.
    func evaluate() throws -> EvaluationMetrics {
        let start = ContinuousClock.now
        let passes = StepPlan.passes(of: validation, batchSize: configuration.batchSize)
        var (sum, count) = (0.0, 0)
        for pass in passes {
            let (batch, scored) = TokenBatch.training(pass) { _ in 1 }
            let part = model.score(batch, scored).logProbabilities.reduce(0, -)
            try requireFinite(part, .validationLoss, pass)
            sum += part
            count += scored.count
        }
        return EvaluationMetrics(
            step: state.step, epoch: plan.epoch(after: state.step), loss: sum / Double(count),
            runtime: start.duration(to: .now), records: validation.count, batches: passes.count)
    }
}
