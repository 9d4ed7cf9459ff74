import Storage

/// `trainer_state.json` in the layout of Hugging Face's trainer, for the tools that read it.
struct TrainerState {
    let configuration: TrainingConfiguration
    let plan: StepPlan
    let step: Int
    let tokensSeen: Int
    let hasValidation: Bool
    /// The checkpoint that is kept for its validation loss, and that loss.
    let best: (checkpoint: CheckpointFolder, loss: Double)?
    let history: [JSONValue]

    /// Writes the file; keys are sorted, as there.
    func write(to path: String) throws {
        let control: JSONObject = [
            "should_epoch_stop": false, "should_evaluate": false, "should_log": false,
            "should_save": true, "should_training_stop": .bool(step >= plan.totalSteps),
        ]
        let state: JSONObject = [
            "best_global_step": best.map { .integer($0.checkpoint.step) } ?? .null,
            "best_metric": best.map { .number($0.loss) } ?? .null,
            "best_model_checkpoint": best.map { .string($0.checkpoint.path) } ?? .null,
            "epoch": .number(plan.epoch(after: step)),
            "eval_steps": .integer(hasValidation ? configuration.stepsPerEvaluation : 500),
            "global_step": .integer(step), "is_hyper_param_search": false,
            "is_local_process_zero": true, "is_world_process_zero": true,
            "log_history": .array(history),
            "logging_steps": .integer(configuration.loggingSteps),
            "max_steps": .integer(plan.totalSteps),
            "num_input_tokens_seen": .integer(tokensSeen),
            "num_train_epochs": .integer(Int(plan.epoch(after: plan.totalSteps).rounded(.up))),
            "save_steps": .integer(configuration.saveSteps),
            "stateful_callbacks": [
                "TrainerControl": ["args": .object(control), "attributes": [:]]
            ],
            "total_flos": 0.0, "train_batch_size": .integer(configuration.batchSize),
            "trial_name": nil, "trial_params": nil,
        ]
        let text = JSONWriter(indent: 2, sortsKeys: true).string(.object(state))
        try AtomicFile.write(text + "\n", to: path)
    }

    /// The rows of `log_history` in a file.
    static func history(of path: String) throws -> [JSONValue] {
        try JSONFields(
            // A row a step, of any number of steps.
            JSONValue.read(path, limit: 1 << 30, options: JSONOptions(valueLimit: .max)),
            file: path
        ).array("log_history")
    }
}
