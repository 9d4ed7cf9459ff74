/// Tensors that are used again and again under the same name.
///
/// A layer asks for its intermediate results by name, so that all layers, and all steps of a run,
/// share one piece of memory for each: it grows to the largest size asked for, and a steady state
/// allocates nothing. Who asks for a name again gives up what it held.
public final class Workspace {
    private var tensors: [String: Tensor] = [:]

    /// Creates an empty workspace.
    public init() {}

    /// The tensor of a name, with undefined values, as a view of the given shape.
    public func tensor(_ name: String, _ shape: [Int]) -> Tensor {
        let count = shape.reduce(1, *)
        if let held = tensors[name], held.count >= count {
            return held.rows(0..<count).reshaped(shape)
        }
        // Batches differ a little in size: some room avoids growing at every other one.
        let grown = Tensor(uninitialized: [count + count / 8])
        tensors[name] = grown
        return grown.rows(0..<count).reshaped(shape)
    }

    /// The memory held, in bytes.
    public var bytes: Int {
        tensors.values.reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride }
    }
}
