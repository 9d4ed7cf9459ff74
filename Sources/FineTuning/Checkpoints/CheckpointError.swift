import Storage

/// Why a run cannot be continued.
public enum CheckpointError: Error, Equatable {
    /// The folder holds no checkpoint that can be read; `faults` says what is wrong with each.
    case none(folder: String, faults: [String])
    /// A setting is another than the checkpoint's.
    case changed(checkpoint: String, key: String, found: String, expected: String)
    /// The records are others than the checkpoint's.
    case changedData(checkpoint: String)
    /// The model is another than the one that the run began with.
    case changedModel(checkpoint: String)
    /// The checkpoint is of another run than the folder's.
    case otherRun(checkpoint: String)
    /// The run is to end before the checkpoint.
    case pastEnd(checkpoint: String, step: Int, total: Int)
    /// The optimiser's state has a tensor that belongs to no parameter.
    case unknownTensor(file: String, name: String)
    /// A tensor of the optimiser's state has the wrong shape.
    case shape(file: String, name: String, found: [Int], expected: [Int])
    /// A field of a checkpoint's files has an invalid value.
    case field(file: String, field: String)
}

extension CheckpointError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .none(let folder, let faults):
            "\(folder): holds no checkpoint to continue, expected checkpoint-N"
                + (faults.isEmpty
                    ? "; leave --resume out, or give --overwrite, to begin anew"
                    : "; \(faults.joined(separator: "; "))")
        case .changed(let checkpoint, let key, let found, let expected):
            "\(checkpoint): setting '\(key)' was \(expected), found \(found); "
                + "a resumed run must keep it"
        case .changedData(let checkpoint):
            "\(checkpoint): the records are not those of the run to continue; "
                + "give the same data, template and lengths"
        case .changedModel(let checkpoint):
            "\(checkpoint): the weights of --model, or of --init-adapter, are not those that the run "
                + "began with; give the same"
        case .otherRun(let checkpoint):
            "\(checkpoint): is of an earlier run, not of the one that began in this folder last"
        case .pastEnd(let checkpoint, let step, let total):
            "\(checkpoint): is at step \(step), expected at most \(total), the end of the run; "
                + "raise --max-steps or --num-train-epochs"
        case .unknownTensor(let file, let name):
            "\(file): tensor \(quoted(name)) belongs to no trained parameter"
        case .shape(let file, let name, let found, let expected):
            "\(file): tensor \(quoted(name)) has shape \(found), expected \(expected)"
        case .field(let file, let field):
            "\(file): field \(quoted(field)) has an invalid value"
        }
    }
}
