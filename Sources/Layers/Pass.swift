import Tensors

/// What every layer needs in one pass over a batch.
public struct Pass {
    /// The processor.
    public let engine: any Engine
    /// Memory for intermediate results.
    public let workspace: Workspace
    /// Decides which inputs of adapters are dropped; `nil` when nothing is, as in evaluation.
    public let dropoutSeed: UInt64?

    /// Groups what a pass needs.
    public init(engine: any Engine, workspace: Workspace, dropoutSeed: UInt64? = nil) {
        (self.engine, self.workspace, self.dropoutSeed) = (engine, workspace, dropoutSeed)
    }
}
