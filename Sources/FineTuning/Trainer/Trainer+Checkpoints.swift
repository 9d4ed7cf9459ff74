import Storage

extension Trainer {
    /// The checkpoint that a run goes on from.
    struct Resumed {
        var path: String
        /// The rows of the log up to there.
        var history: [JSONValue]
        /// The checkpoints of the run so far, the oldest first.
        var lineage: [CheckpointFolder]
    }

    /// Goes back to the newest checkpoint of the folder's run that is whole.
    ///
    /// - Throws: ``CheckpointError`` if there is none, or if the run it comes from is another.
    func resume(
        in output: RunFolder, _ report: (TrainingEvent) -> Void
    ) throws -> Resumed {
        let checkpoints = try CheckpointFolder.all(in: folder)
        var faults: [String] = []
        for (index, checkpoint) in checkpoints.enumerated() {
            let read: (state: ResumeState, identity: RunIdentity)
            let history: [JSONValue]
            do {
                try DigestList.check(checkpoint.path)
                read = try ResumeState.read(checkpoint.resume, expectedStep: checkpoint.step)
                history = try TrainerState.history(of: checkpoint.trainerState)
                // A checkpoint that was copied into a folder of its own brings its number along.
                guard output.run == nil || read.identity.run == output.run else {
                    throw CheckpointError.otherRun(checkpoint: checkpoint.path)
                }
            } catch {
                faults.append("\(error)")
                continue
            }
            try identity.check(continues: read.identity, checkpoint: checkpoint.path)
            guard read.state.step <= plan.totalSteps else {
                throw CheckpointError.pastEnd(
                    checkpoint: checkpoint.path, step: read.state.step, total: plan.totalSteps)
            }
            do {
                try contents.read(from: checkpoint.path)
                try optimizer.read(from: checkpoint.optimizer, steps: read.state.step)
                try requireFiniteTensors(step: read.state.step)
            } catch {
                faults.append("\(checkpoint.path): \(error)")
                continue
            }
            faults.forEach { report(.warning("\($0); an older checkpoint is continued")) }
            identity.notes(continuing: read.identity, checkpoint: checkpoint.path)
                .forEach { report(.warning($0)) }
            state = read.state
            identity.run = read.identity.run
            forgetLostBest(report)
            let run = read.identity.run
            let lineage = checkpoints[index...].filter { other in
                let found = try? ResumeState.read(other.resume, expectedStep: other.step)
                return found?.identity.run == run
            }
            return Resumed(path: checkpoint.path, history: history, lineage: lineage.reversed())
        }
        throw CheckpointError.none(folder: folder, faults: faults)
    }

    /// The checkpoint that is kept for its validation loss, and that loss.
    var best: (checkpoint: CheckpointFolder, loss: Double)? {
        guard configuration.savesBest, let best = state.validation?.best else { return nil }
        return (CheckpointFolder(step: best.step, in: folder), best.loss)
    }

    /// Looks for the best checkpoint anew where that of the run so far was not kept.
    private func forgetLostBest(_ report: (TrainingEvent) -> Void) {
        guard let best, !FilePath.isFolder(best.checkpoint.path) else { return }
        report(
            .warning(
                "\(best.checkpoint.path): is not there, though its held-out loss is the lowest so far; "
                    + "the best is looked for from step \(state.step + 1) on"))
        state.validation = nil
    }

    /// Gives the contents the values of the best checkpoint, if it is kept and not the last.
    ///
    /// - Returns: The validation that it had.
    /// - Throws: An error of a file.
    func takeBest(_ report: (TrainingEvent) -> Void) throws -> BestEvaluation? {
        guard let best else { return nil }
        let found = BestEvaluation(step: best.checkpoint.step, loss: best.loss)
        guard found.step != state.step else { return found }
        do {
            try DigestList.check(best.checkpoint.path)
        } catch {
            report(.warning("\(error); the result is that of the last step"))
            return nil
        }
        try contents.read(from: best.checkpoint.path)
        return found
    }

    /// Makes sure that nothing broken is saved, or gone on with.
    ///
    /// - Throws: ``TrainingError/brokenTensor(name:step:)``.
    private func requireFiniteTensors(step: Int) throws {
        if let name = optimizer.brokenTensor {
            throw TrainingError.brokenTensor(name: name, step: step)
        }
    }

    /// Writes a checkpoint of the present step, then removes the oldest that are too many.
    ///
    /// - Parameters:
    ///   - history: The rows of the log.
    ///   - lineage: The checkpoints of the run so far, the oldest first; others are not touched.
    ///   - report: Called when it is done.
    /// - Throws: An error of a file, or ``TrainingError/brokenTensor(name:step:)``; then the checkpoint is
    ///   not there.
    func save(
        history: [JSONValue], lineage: inout [CheckpointFolder],
        _ report: (TrainingEvent) -> Void
    ) throws {
        try requireFiniteTensors(step: state.step)
        let checkpoint = CheckpointFolder(step: state.step, in: folder)
        try checkpoint.write(
            contents, optimizer: optimizer, state: state, identity: identity,
            trainerState: trainerState(history: history))
        lineage.removeAll { $0 == checkpoint }
        lineage.append(checkpoint)
        report(.saved(folder: checkpoint.path))
        removeOldest(of: &lineage, report)
    }

    /// Removes the oldest checkpoints that are too many; the best counts for none, and one that cannot be
    /// removed is no reason to stop.
    func removeOldest(of lineage: inout [CheckpointFolder], _ report: (TrainingEvent) -> Void) {
        let limit = configuration.saveTotalLimit
        let kept = best?.checkpoint
        while limit > 0, lineage.count(where: { $0 != kept }) > limit,
            let oldest = lineage.firstIndex(where: { $0 != kept })
        {
            do {
                try lineage.remove(at: oldest).remove()
            } catch {
                report(.warning("\(error); this old checkpoint stays"))
            }
        }
    }

    func trainerState(history: [JSONValue]) -> TrainerState {
        TrainerState(
            configuration: configuration, plan: plan, step: state.step,
            tokensSeen: state.tokensSeen, hasValidation: !validation.isEmpty, best: best,
            history: history)
    }
}
