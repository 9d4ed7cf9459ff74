/// Tensors that are used again and again under the same name.
///
/// A layer asks for its intermediate results by name, so that all layers, and all steps of a run,
/// share one piece of memory for each: it grows to the largest size asked for, and a steady state
/// allocates nothing. Asking for a name again gives up what it held.
public final class Workspace {
    private let engine: any Engine
    private var entries: [String: Entry] = [:]

    private struct Entry {
        let memory: Tensor
        /// The view that was asked for last: the next one is often the same.
        var view: Tensor
    }

    /// Creates an empty workspace in the memory of an engine.
    public init(of engine: any Engine) { self.engine = engine }

    /// The tensor of a name, with undefined values, as a view of the given shape.
    ///
    /// The rows of a matrix may lie further apart than they are wide: see ``Engine/rowStride(columns:)``.
    public func tensor(_ name: String, _ shape: [Int]) -> Tensor {
        if let view = entries[name]?.view, view.shape == shape { return view }
        let (rows, columns) = (shape.first ?? 1, shape.dropFirst().reduce(1, *))
        let stride = shape.count == 2 ? engine.rowStride(columns: columns) : columns
        let memory = memory(name, count: rows * stride)
        let view =
            stride > columns
            ? memory.reshaped([rows, stride]).columns(0..<columns) : memory.reshaped(shape)
        entries[name]?.view = view
        return view
    }

    private func memory(_ name: String, count: Int) -> Tensor {
        if let held = entries[name]?.memory, held.count >= count { return held.rows(0..<count) }
        // Batches differ a little in size: some room avoids growing at every other one.
        let grown = engine.tensor([count + count / 8])
        entries[name] = Entry(memory: grown, view: grown)
        return grown.rows(0..<count)
    }

    /// The memory held, in bytes.
    public var bytes: Int {
        entries.values.reduce(0) { $0 + $1.memory.count * MemoryLayout<Float>.stride }
    }
}
