import Storage

/// What `resume.json` holds: everything a run needs to go on that is neither weight nor moment.
///
/// Neither the order of the records nor what dropout drops needs a state: both follow from the seed
/// and the number of the step.
struct ResumeState: Equatable {
    /// What was gathered since the last logged line.
    struct Pending: Equatable {
        var lossSum = 0.0
        var steps = 0
        var scoredTokens = 0
    }

    /// What validations came to so far.
    struct Validation: Equatable {
        var best: BestEvaluation
        /// The loss that one must be lower than, for the run to go on.
        var goal: Double
        /// The validations in a row that were not.
        var fruitless = 0
    }

    /// The number of finished steps.
    var step = 0
    /// The tokens trained on, prompts included.
    var tokensSeen = 0
    /// What was gathered since the last logged line.
    var pending = Pending()
    /// What validations came to so far; nil before the first after a step.
    var validation: Validation?

    /// Takes the loss of a validation down.
    ///
    /// - Parameters:
    ///   - loss: The loss after ``step`` steps.
    ///   - leastGain: How much lower a loss must be for the run to go on.
    /// - Returns: Whether it is the lowest.
    mutating func note(validationLoss loss: Double, leastGain: Double) -> Bool {
        let evaluation = BestEvaluation(step: step, loss: loss)
        guard var found = validation else {
            validation = Validation(best: evaluation, goal: loss)
            return true
        }
        defer { validation = found }
        if loss < found.goal - leastGain {
            found.goal = loss
            found.fruitless = 0
        } else {
            found.fruitless += 1
        }
        guard loss < found.best.loss else { return false }
        found.best = evaluation
        return true
    }
}

/// What a run and the checkpoint it continues must have in common.
struct RunIdentity: Equatable {
    /// A hash of all training records.
    var data: String
    /// The settings that decide the numbers of the run.
    var settings: JSONObject
    /// The steps of the whole run.
    var totalSteps: Int
    /// Whether the learning rate depends on ``totalSteps``.
    var dependsOnLength: Bool
    /// The fingerprint of the model that the run began with; `nil` if it was not written down.
    var model: String?
    /// What decides the last bits of the numbers alone, such as the engine.
    var machine: JSONObject = [:]
    /// The number of the run; empty before it begins, and in files that do not say.
    var run = ""
}

extension ResumeState {
    /// Writes the file.
    func write(_ identity: RunIdentity, to path: String) throws {
        let value: JSONValue = [
            "step": .integer(step), "tokens_seen": .integer(tokensSeen),
            "pending": [
                "loss_sum": .number(pending.lossSum), "steps": .integer(pending.steps),
                "scored_tokens": .integer(pending.scoredTokens),
            ],
            "total_steps": .integer(identity.totalSteps), "data": .string(identity.data),
            "settings": .object(identity.settings),
            "model": identity.model.map { .string($0) } ?? .null,
            "machine": .object(identity.machine),
            "run": .string(identity.run),
            "validation": validation.map { .object($0.json) } ?? .null,
        ]
        try AtomicFile.write(JSONWriter(indent: 2).string(value) + "\n", to: path)
    }

    /// Reads the file of a checkpoint.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - expectedStep: The step that the checkpoint's name gives.
    /// - Returns: The state, and the identity of the run that wrote it (`dependsOnLength` unset).
    /// - Throws: An error of Storage, or ``CheckpointError/field(file:field:)``.
    static func read(
        _ path: String, expectedStep: Int
    ) throws -> (state: ResumeState, identity: RunIdentity) {
        let fields = try JSONFields(JSONValue.read(path), file: path)
        func count(_ field: String, _ fields: JSONFields) throws -> Int {
            let value = try fields.integer(field)
            guard (0...Int(Int32.max) << 16).contains(value) else {
                throw CheckpointError.field(file: path, field: field)
            }
            return value
        }
        var state = ResumeState()
        state.step = try count("step", fields)
        guard state.step == expectedStep else {
            throw CheckpointError.field(file: path, field: "step")
        }
        state.tokensSeen = try count("tokens_seen", fields)
        let pending = try fields.object("pending")
        state.pending = Pending(
            lossSum: try pending.number("loss_sum"), steps: try count("steps", pending),
            scoredTokens: try count("scored_tokens", pending))
        if let found = try fields.object(ifPresent: "validation") {
            state.validation = Validation(
                best: BestEvaluation(
                    step: try count("best_step", found), loss: try found.number("best_loss")),
                goal: try found.number("goal"), fruitless: try count("fruitless", found))
        }
        let identity = RunIdentity(
            data: try fields.string("data"), settings: try fields.object("settings").object,
            totalSteps: try count("total_steps", fields), dependsOnLength: false,
            model: try fields.string(ifPresent: "model"),
            machine: try fields.object(ifPresent: "machine")?.object ?? [:],
            run: try fields.string(ifPresent: "run") ?? "")
        return (state, identity)
    }
}

extension ResumeState.Validation {
    fileprivate var json: JSONObject {
        [
            "best_step": .integer(best.step), "best_loss": .number(best.loss),
            "goal": .number(goal), "fruitless": .integer(fruitless),
        ]
    }
}

extension RunIdentity {
    /// Holds the run that is to go on against the one that wrote a checkpoint.
    ///
    /// - Parameters:
    ///   - earlier: The identity in the checkpoint.
    ///   - checkpoint: Its folder.
    /// - Throws: ``CheckpointError``.
    func check(continues earlier: RunIdentity, checkpoint: String) throws {
        func text(_ value: JSONValue?) -> String { value.map(JSONWriter().string) ?? "not set" }
        let keys = settings.keys + earlier.settings.keys.filter { settings[$0] == nil }
        for key in keys where settings[key] != earlier.settings[key] {
            throw CheckpointError.changed(
                checkpoint: checkpoint, key: key, found: text(settings[key]),
                expected: text(earlier.settings[key]))
        }
        if dependsOnLength, totalSteps != earlier.totalSteps {
            throw CheckpointError.changed(
                checkpoint: checkpoint, key: "max_steps", found: String(totalSteps),
                expected: String(earlier.totalSteps))
        }
        guard data == earlier.data else {
            throw CheckpointError.changedData(checkpoint: checkpoint)
        }
        guard earlier.model == nil || model == earlier.model else {
            throw CheckpointError.changedModel(checkpoint: checkpoint)
        }
    }

    /// Warnings of what changes only the last bits of the result, a sentence each.
    func notes(continuing earlier: RunIdentity, checkpoint: String) -> [String] {
        let writer = JSONWriter()
        return machine.members.compactMap { member in
            guard let before = earlier.machine[member.key], before != member.value else {
                return nil
            }
            return "\(checkpoint): '\(member.key)' was \(writer.string(before)), found "
                + "\(writer.string(member.value)); the result will differ in its last bits"
        }
    }

    /// A hash of records: FNV-1a over 32-bit words, in hexadecimal.
    static func fingerprint(of records: [TrainingRecord]) -> String {
        var hash = FNV1a()
        func combine(_ word: Int32) { hash.combine(UInt64(UInt32(bitPattern: word))) }
        for record in records {
            combine(Int32(truncatingIfNeeded: record.tokens.count))
            combine(Int32(truncatingIfNeeded: record.promptLength))
            record.tokens.forEach(combine)
        }
        return String(hash.value, radix: 16)
    }
}
