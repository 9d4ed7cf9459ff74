import Layers
import LoRA

/// Adapters that are trained, stored as PEFT does.
public struct TrainedAdapter: CheckpointContents {
    /// The adapters, attached to their model.
    public let adapters: LoRAAdapterSet
    /// Further files that belong to the adapter, such as `mambatreel.json`.
    public let companions: [Companion]

    /// Wraps adapters.
    public init(_ adapters: LoRAAdapterSet, companions: [Companion] = []) {
        self.adapters = adapters
        self.companions = companions
    }

    /// All parameters of the adapters.
    public var parameters: [Parameter] { adapters.parameters }

    /// The tensors by PEFT's names and in PEFT's shapes.
    public var storedTensors: [StoredTensor] { adapters.storedTensors }

    /// The adapter's configuration.
    public var keyFile: String { LoRAAdapterSet.keyFile }

    /// Writes `adapter_model.safetensors`, `adapter_config.json` and the companions.
    public func write(to folder: String) throws {
        try adapters.write(to: folder)
        try companions.forEach { try $0.write(to: folder) }
    }

    /// Takes the adapters away meanwhile.
    public func withBaseModel(_ body: () throws -> Void) rethrows {
        adapters.detach()
        defer { adapters.attach() }
        try body()
    }

    /// Reads the adapter in a folder and takes its values over.
    public func read(from folder: String) throws {
        let stored = try adaptersStored(in: folder)
        let found = Dictionary(uniqueKeysWithValues: stored.parameters.map { ($0.name, $0) })
        for parameter in parameters {
            let other = found[parameter.name]?.value
            guard let other, other.shape == parameter.value.shape, found.count == parameters.count
            else {
                throw CheckpointError.shape(
                    file: folder, name: parameter.name, found: other?.shape ?? [],
                    expected: parameter.value.shape)
            }
            adapters.model.engine.copy(other, to: parameter.value)
        }
    }

    private func adaptersStored(in folder: String) throws -> LoRAAdapterSet {
        // They are attached as they are read, which only a model without others lets them.
        adapters.detach()
        defer { adapters.attach() }
        let stored = try LoRAAdapterSet.read(folder, attachingTo: adapters.model).adapters
        stored.detach()
        return stored
    }
}
