import Layers
import Storage
import Tensors

extension MambaModel {
    /// Loads a model from a folder in the Hugging Face or in the original layout.
    ///
    /// What a file holds in the wanted format stays mapped from it; all else is converted. Linear weights and
    /// the embedding are kept in that format, all other tensors in single precision.
    ///
    /// - Parameters:
    ///   - folder: Holds `config.json` and `model.safetensors`, or its index and shards.
    ///   - engine: The processor.
    ///   - format: Of linear weights and the embedding; what is not float32 cannot be trained, merged or saved.
    ///   - availableBytes: The memory that there is; `nil` if nobody knows.
    /// - Returns: The model, and the names of tensors in the files that are no part of it.
    /// - Throws: ``MambaModelError``, or an error of Storage: a file, tensor or field is missing,
    ///   malformed, of another shape, or not finite.
    public static func load(
        folder: String, engine: any Engine, format: WeightMatrix.Format = .float32,
        availableBytes: Int? = nil
    ) throws -> (model: MambaModel, unused: [String]) {
        let configuration = try MambaConfiguration(folder: folder)
        let bytes = configuration.parameterCount * format.bytesPerValue
        if let availableBytes, bytes > availableBytes {
            throw MambaModelError.tooLarge(
                folder: folder, format: format.rawValue, bytes: bytes, available: availableBytes)
        }
        let tensors = CheckpointTensors(
            checkpoint: try SafetensorsCheckpoint(path: folder), configuration: configuration,
            engine: engine, format: format)
        let model = try MambaModel(configuration: configuration, tensors: tensors, engine: engine)
        if configuration.tiesEmbeddings { try tensors.checkHead() }
        let used = Set(model.parameters.map(\.name))
            .union([MambaTensor.lmHead.name(), MambaTensor.originalEmbeddings])
        return (model, tensors.checkpoint.names.filter { !used.contains($0) })
    }
}

/// The tensors of a checkpoint, under Hugging Face names.
private struct CheckpointTensors: ModelTensors {
    let checkpoint: SafetensorsCheckpoint
    let configuration: MambaConfiguration
    let engine: any Engine
    let format: WeightMatrix.Format

    func parameter(_ tensor: MambaTensor, layer: Int?) throws -> Parameter {
        let name = tensor.name(layer: layer)
        let entry = try entry(name, tensor.shape(configuration))
        let format = tensor.role == .table || tensor.role == .weight ? format : .float32
        let stored = engine.reachable(try WeightMatrix(entry, as: format))
        guard engine.sumOfSquares(stored).isFinite else {
            throw MambaModelError.notFinite(file: entry.file.path, tensor: entry.tensor.name)
        }
        guard let values = stored.tensor, format != .float32 else {
            return Parameter(name: name, role: tensor.role, matrix: stored)
        }
        let rounded = engine.rounded(values, to: format)
        entry.file.release(entry.tensor)
        return Parameter(name: name, role: tensor.role, matrix: rounded)
    }

    private func entry(
        _ name: String, _ shape: [Int]
    ) throws -> SafetensorsCheckpoint.Entry {
        var found = checkpoint.find(name)
        if found == nil && name == MambaTensor.embeddings.name() {
            found = checkpoint.find(MambaTensor.originalEmbeddings)
        }
        let entry = try found ?? checkpoint.entry(name)
        guard entry.tensor.shape == shape else {
            throw MambaModelError.shape(
                file: entry.file.path, tensor: entry.tensor.name, found: entry.tensor.shape,
                expected: shape)
        }
        return entry
    }

    /// A stored head is allowed beside a tied embedding, as the original releases have it.
    func checkHead() throws {
        let name = MambaTensor.lmHead.name()
        guard checkpoint.find(name) != nil else { return }
        let shape = MambaTensor.lmHead.shape(configuration)
        let head = try entry(name, shape)
        let embedding = try entry(MambaTensor.embeddings.name(), shape)
        let isEqual =
            try head.tensor.type == embedding.tensor.type
            ? head.file.bytes(of: head.tensor).elementsEqual(
                embedding.file.bytes(of: embedding.tensor))
            : head.file.floats(of: head.tensor) == embedding.file.floats(of: embedding.tensor)
        guard isEqual else { throw MambaModelError.differentHead(file: head.file.path) }
    }
}

extension WeightMatrix.Format {
    fileprivate var bytesPerValue: Int {
        switch self {
        case .float32: 4
        case .bfloat16: 2
        case .int8: 1
        }
    }
}

extension WeightMatrix {
    /// Views a tensor of a file in place if it has the wanted format; widens any other.
    fileprivate init(
        _ entry: SafetensorsCheckpoint.Entry, as format: WeightMatrix.Format
    ) throws {
        let (bytes, shape) = (entry.file.bytes(of: entry.tensor), entry.tensor.shape)
        let address = Int(bitPattern: bytes.baseAddress)
        switch (entry.tensor.type, format) {
        case (.bfloat16, .bfloat16) where address % 2 == 0:
            self.init(viewingBFloat16: bytes, shape: shape, owner: entry.file)
        case (.float32, _) where address % 4 == 0:
            self.init(
                Tensor(
                    viewing: UnsafeMutableRawBufferPointer(mutating: bytes), shape: shape,
                    owner: entry.file))
        default:
            let tensor = Tensor(uninitialized: shape)
            try tensor.withUnsafeMutableElements {
                try entry.file.readFloats(of: entry.tensor, into: $0)
            }
            self.init(tensor)
        }
    }
}

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

/// What can be wrong with a model's files.
public enum MambaModelError: Error, Equatable {
    /// A field of the configuration has a value that the model cannot have.
    case unsupported(file: String, field: String, found: String, expected: String)
    /// A tensor has not the shape that the configuration says.
    case shape(file: String, tensor: String, found: [Int], expected: [Int])
    /// A tensor has values that are not finite.
    case notFinite(file: String, tensor: String)
    /// The output projection is stored and differs from the embedding that it should share.
    case differentHead(file: String)
    /// The weights take more memory than there is.
    case tooLarge(folder: String, format: String, bytes: Int, available: Int)
}

extension MambaModelError: CustomStringConvertible {
    /// One line that names file and place.
    public var description: String {
        switch self {
        case .unsupported(let file, let field, let found, let expected):
            "\(quotedPath(file)): field \(quoted(field)) is \(oneLine(found)), expected \(expected)"
        case .shape(let file, let tensor, let found, let expected):
            "\(quotedPath(file)): tensor \(quoted(tensor)) has shape \(found), expected \(expected)"
        case .notFinite(let file, let tensor):
            "\(quotedPath(file)): tensor \(quoted(tensor)) has values that are not finite, expected numbers"
        case .differentHead(let file):
            "\(quotedPath(file)): tensor 'lm_head.weight' differs from 'backbone.embeddings.weight', "
                + "which config.json ties it to; "
                + "set tie_word_embeddings to false to use it, or remove the tensor"
        case .tooLarge(let folder, let format, let bytes, let available):
            "\(quotedPath(folder)): weights take \(bytes >> 20) MiB in \(format), expected at most "
                + "\(available >> 20) MiB, which are free; take a smaller model, or --dtype bfloat16 or int8"
        }
    }
}
