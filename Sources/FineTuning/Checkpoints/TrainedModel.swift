import Layers
import Storage

/// A whole model that is trained, stored in the Hugging Face layout.
public struct TrainedModel: CheckpointContents {
    /// The model.
    public let model: any TrainableModel
    /// Further files of a usable folder, such as `tokenizer.json`, by name.
    public let companions: [Companion]

    /// Wraps a model.
    public init(_ model: any TrainableModel, companions: [Companion] = []) {
        self.model = model
        self.companions = companions
    }

    /// All parameters of the model.
    public var parameters: [Parameter] { model.parameters }

    /// The model's configuration.
    public var keyFile: String { "config.json" }

    /// Writes `config.json`, `model.safetensors` and the companions.
    public func write(to folder: String) throws {
        try model.save(folder: folder)
        try companions.forEach { try $0.write(to: folder) }
    }

    /// Reads `model.safetensors`.
    public func read(from folder: String) throws {
        let file = try SafetensorsFile(path: folder + "/model.safetensors")
        for parameter in parameters { try parameter.read(from: file) }
    }
}

/// A small file that stands beside what was trained.
public struct Companion: Equatable, Sendable {
    /// Its name in the folder.
    public let name: String
    /// Its content.
    public let content: [UInt8]

    /// Describes a file.
    public init(name: String, content: [UInt8]) {
        self.name = name
        self.content = content
    }

    /// Writes the file into a folder.
    func write(to folder: String) throws {
        try AtomicFile.write(to: "\(folder)/\(name)") { try $0.write(content) }
    }
}

extension Parameter {
    /// Takes the values of the tensor of this name over.
    fileprivate func read(from file: SafetensorsFile) throws {
        let stored = try file.tensor(name)
        guard stored.shape == value.shape else {
            throw CheckpointError.shape(
                file: file.path, name: name, found: stored.shape, expected: value.shape)
        }
        value.values = try file.floats(of: stored)
    }
}
