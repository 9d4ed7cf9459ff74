import Layers

/// What is trained, and how it is stored: an adapter, or a whole model.
public protocol CheckpointContents {
    /// The parameters that are trained, in an order that never changes, no name twice.
    var parameters: [Parameter] { get }

    /// The tensors that ``parameters`` become in files, in their order.
    var storedTensors: [StoredTensor] { get }

    /// The name of the file without which the others that ``write(to:)`` writes are not used.
    var keyFile: String { get }

    /// Writes everything needed to use what was trained into a folder that exists.
    ///
    /// Values must come back bit for bit; files must appear under their names complete.
    func write(to folder: String) throws

    /// Takes the values of the parameters over from such a folder.
    func read(from folder: String) throws

    /// Does something with the model that training begins with; before the first step.
    func withBaseModel(_ body: () throws -> Void) rethrows
}

extension CheckpointContents {
    /// The parameters as they are.
    public var storedTensors: [StoredTensor] {
        parameters.map { StoredTensor(name: $0.name, shape: $0.value.shape) }
    }

    /// The model itself is what training begins with.
    public func withBaseModel(_ body: () throws -> Void) rethrows { try body() }
}
