/// Tensors that are used again and again under the same name.
///
/// A layer asks for its intermediate results by name, so that all layers, and all steps of a run,
/// share one piece of memory for each: it grows to the largest size asked for, and a steady state
/// allocates nothing. Who asks for a name again gives up what it held.
public final class Workspace {
    private var entries: [String: Entry] = [:]

    private struct Entry {
        let memory: Tensor
        /// The view that was asked for last: the next one is often the same.
        var view: Tensor
    }

    /// Creates an empty workspace.
    public init() {}

    /// The tensor of a name, with undefined values, as a view of the given shape.
    public func tensor(_ name: String, _ shape: [Int]) -> Tensor {
        if let view = entries[name]?.view, view.shape == shape { return view }
        let count = shape.reduce(1, *)
        let held = entries[name]?.memory
        // Batches differ a little in size: some room avoids growing at every other one.
        let memory =
            held.flatMap { $0.count >= count ? $0 : nil }
            ?? Tensor(uninitialized: [count + count / 8])
        let view = memory.rows(0..<count).reshaped(shape)
        entries[name] = Entry(memory: memory, view: view)
        return view
    }

    /// The memory held, in bytes.
    public var bytes: Int {
        entries.values.reduce(0) { $0 + $1.memory.count * MemoryLayout<Float>.stride }
    }
}
