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

    /// Goes back to the newest checkpoint that can be read in full.
    ///
    /// - Throws: ``CheckpointError`` if there is none, or if the run it comes from is another.
    func resume(_ report: (TrainingEvent) -> Void) throws -> Resumed {
        let checkpoints = try CheckpointFolder.all(in: folder)
        var faults: [String] = []
        for (index, checkpoint) in checkpoints.enumerated() {
            let read: (state: ResumeState, identity: RunIdentity)
            let history: [JSONValue]
            do {
                read = try ResumeState.read(checkpoint.resume, expectedStep: checkpoint.step)
                history = try TrainerState.history(of: checkpoint.trainerState)
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
            } catch {
                faults.append("\(error)")
                continue
            }
            faults.forEach { report(.warning("\($0); an older checkpoint is continued")) }
            state = read.state
            return Resumed(
                path: checkpoint.path, history: history,
                lineage: checkpoints[index...].reversed())
        }
        throw CheckpointError.none(folder: folder, faults: faults)
    }

    /// Says that checkpoints of an earlier run stay where they are.
    func warnOfOthers(_ report: (TrainingEvent) -> Void) throws {
        guard let newest = try CheckpointFolder.all(in: folder).first else { return }
        report(
            .warning(
                "\(newest.path): is of an earlier run and stays unless this run has that step; "
                    + "use --resume to continue it or another --output-dir"))
    }

    /// Writes a checkpoint of the present step, then removes the oldest that are too many.
    ///
    /// - Parameters:
    ///   - history: The rows of the log.
    ///   - lineage: The checkpoints of the run so far, the oldest first; others are not touched.
    ///   - report: Called when it is done.
    /// - Throws: An error of a file; then the checkpoint is not there.
    func save(
        history: [JSONValue], lineage: inout [CheckpointFolder],
        _ report: (TrainingEvent) -> Void
    ) throws {
        let checkpoint = CheckpointFolder(step: state.step, in: folder)
        try checkpoint.write(
            contents, optimizer: optimizer, state: state, identity: identity,
            trainerState: trainerState(history: history))
        lineage.removeAll { $0 == checkpoint }
        lineage.append(checkpoint)
        report(.saved(folder: checkpoint.path))
        let limit = configuration.saveTotalLimit
        while limit > 0, lineage.count > limit { try lineage.removeFirst().remove() }
    }

    func trainerState(history: [JSONValue]) -> TrainerState {
        TrainerState(
            configuration: configuration, plan: plan, step: state.step,
            tokensSeen: state.tokensSeen, hasValidation: !validation.isEmpty, history: history)
    }
}
