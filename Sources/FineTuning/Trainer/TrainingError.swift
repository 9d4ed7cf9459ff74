/// What can stop a run.
public enum TrainingError: Error, Equatable {
    /// A number that training cannot go on with.
    public enum Quantity: String, Sendable {
        /// The loss of a step.
        case loss
        /// The norm of a step's gradients.
        case gradientNorm = "gradient norm"
        /// The loss over the validation records.
        case validationLoss = "validation loss"
    }

    /// A quantity became infinite or no number; nothing was changed in that step.
    ///
    /// `step` counts from 1; `origins` are the records it was computed from.
    case notFinite(Quantity, value: Double, step: Int, origins: [String])
    /// A trained value or a moment of the optimiser became infinite or no number; nothing was saved.
    case brokenTensor(name: String, step: Int)
    /// Nothing is trainable.
    case nothingTrainable
    /// A setting needs validation, and there are no records for it.
    case noValidation(setting: String)
    /// The run needs more memory than there is; `fit` is the largest setting with which it would not.
    case memory(needed: MemoryEstimate, available: Int, fit: MemoryPlan.Fit?)
}

extension TrainingError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .notFinite(let quantity, let value, let step, let origins):
            "\(quantity.rawValue) of step \(step) is \(value), expected a finite number; lower "
                + "--learning-rate, or look at " + origins.prefix(3).joined(separator: ", ")
                + (origins.count > 3 ? " and \(origins.count - 3) more records" : "")
        case .brokenTensor(let name, let step):
            "tensor '\(name)' has values that are not finite after step \(step), expected numbers; "
                + "nothing was saved: lower --learning-rate, and go on from an earlier checkpoint "
                + "or begin anew"
        case .nothingTrainable:
            "no parameter is trainable, expected at least one"
        case .noValidation(let setting):
            "--\(setting) needs held-out records and there are none; "
                + "give --valid FILE or --val-size 0.1"
        case .memory(let needed, let available, let fit):
            "the run needs about \(needed.total >> 20) MiB of memory (weights \(needed.weights >> 20), "
                + "optimiser \(needed.optimizer >> 20), "
                + "activations \((needed.activations + needed.kept) >> 20), "
                + "logits \(needed.head >> 20)), expected at most \(available >> 20) MiB, which are free; "
                + TrainingError.remedy(fit)
        }
    }
    private static func remedy(_ fit: MemoryPlan.Fit?) -> String {
        switch fit {
        case .batches(let size, let accumulation):
            "the largest that fits is --batch-size \(size) --gradient-accumulation-steps \(accumulation)"
        case .length(let tokens):
            "the largest that fits is --max-seq-length \(tokens) --batch-size 1"
        case nil:
            "take a smaller model, --dtype bfloat16 or, in place of a full fine-tuning, an adapter"
        }
    }
}
