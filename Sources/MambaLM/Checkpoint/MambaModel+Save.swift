import Storage
import Tensors

extension MambaModel {
    /// Writes `config.json` and `model.safetensors` into a folder, in the Hugging Face layout.
    ///
    /// The weights are float32, whatever the model was loaded from; all else that the configuration
    /// said stays as it was.
    ///
    /// - Parameter folder: An existing folder; files of these names are replaced.
    /// - Throws: `FileError` if it cannot be written; then no file is half-written.
    public func save(folder: String) throws {
        let values = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value) })
        let specs = parameters.map {
            SafetensorsWriter.Spec(name: $0.name, type: .float32, shape: $0.value.shape)
        }
        try SafetensorsWriter.write(
            specs, metadata: SafetensorsWriter.ownMetadata, to: "\(folder)/model.safetensors"
        ) { spec, sink in
            try values[spec.name]?.withElements { try sink.write(floats: $0) }
        }
        try AtomicFile.write(to: "\(folder)/config.json") { writer in
            let text = JSONWriter(indent: 2, escapesNonASCII: false).string(
                .object(configuration.json))
            try writer.write(Array((text + "\n").utf8))
        }
    }
}
