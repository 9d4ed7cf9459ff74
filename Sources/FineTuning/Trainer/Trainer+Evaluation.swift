extension Trainer {
    /// Scores the validation records.
    ///
    /// - Throws: ``TrainingError/notFinite(_:value:step:origins:)``.
    func evaluate() throws -> EvaluationMetrics {
        let start = ContinuousClock.now
        let passes = StepPlan.passes(of: validation, batchSize: configuration.batchSize)
        var (sum, count) = (0.0, 0)
        for pass in passes {
            let part = model.negativeLogLikelihood(of: pass.map { $0.text() })
            try requireFinite(part, .validationLoss, pass)
            sum += part
            count += pass.reduce(0) { $0 + $1.scored.count }
        }
        return EvaluationMetrics(
            step: state.step, epoch: plan.epoch(after: state.step), loss: sum / Double(count),
            runtime: start.duration(to: .now), records: validation.count, batches: passes.count)
    }
}
