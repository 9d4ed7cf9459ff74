import Layers

/// How much memory a run will take, by formula.
///
///     weights      all parameters of the model, fewer bytes in another format, what the processor keeps beside
///                  them (`Engine.keptBytes`), and the adapter
///     optimizer    3 a trained value: gradient and two moments
///     working      what the model says: see `TrainableModel.workingMemory`
///
/// The program itself and records are not counted.
public struct MemoryEstimate: Equatable, Sendable {
    /// The parameters of model and adapter, in bytes.
    public var weights: Int
    /// Gradients and moments, in bytes.
    public var optimizer: Int
    /// What is kept and computed of a batch.
    public var working: WorkingMemory

    /// What is kept and computed of a batch, in bytes.
    public var activations: Int { working.activations }
    /// The input projections kept for the backward pass, in bytes.
    public var kept: Int { working.kept }
    /// The logits and what belongs to them, in bytes.
    public var head: Int { working.head }

    /// All together, in bytes.
    public var total: Int { weights + optimizer + activations + kept + head }

    /// Estimates a run.
    ///
    /// - Parameters:
    ///   - modelBytes: The memory of the model's own weights, and of what the processor keeps beside them.
    ///   - trainedValues: The number of values that are trained.
    ///   - addedValues: How many of them are not the model's own.
    ///   - working: What the model holds of the largest batch.
    public init(modelBytes: Int, trainedValues: Int, addedValues: Int, working: WorkingMemory) {
        weights = modelBytes + 4 * addedValues
        optimizer = 4 * 3 * trainedValues
        self.working = working
    }
}
