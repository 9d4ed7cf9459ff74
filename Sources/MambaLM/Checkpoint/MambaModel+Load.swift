import Kernels
import Storage

extension MambaModel {
    /// Loads a model from a folder in the Hugging Face or in the original layout.
    ///
    /// Float32 tensors stay mapped from the file; others are widened.
    ///
    /// - Parameters:
    ///   - folder: Holds `config.json` and `model.safetensors`, or its index and shards.
    ///   - engine: The processor.
    /// - Returns: The model, and the names of tensors in the files that are no part of it.
    /// - Throws: ``MambaModelError``, or an error of Storage: a file, tensor or field is missing,
    ///   malformed, of another shape, or not finite.
    public static func load(
        folder: String, engine: any Engine
    ) throws -> (model: MambaModel, unused: [String]) {
        let configuration = try MambaConfiguration(file: "\(folder)/config.json")
        let tensors = CheckpointTensors(
            checkpoint: try SafetensorsCheckpoint(path: folder), engine: engine)
        let model = try MambaModel(configuration: configuration, tensors: tensors, engine: engine)
        if configuration.tiesEmbeddings {
            try tensors.checkHead(equals: model.embeddings.weight)
        }
        let used = Set(model.parameters.map(\.name))
            .union([ParameterName.lmHead, ParameterName.originalEmbeddings])
        return (model, tensors.checkpoint.names.filter { !used.contains($0) })
    }
}

/// The tensors of a checkpoint, under Hugging Face names.
private struct CheckpointTensors: ModelTensors {
    let checkpoint: SafetensorsCheckpoint
    let engine: any Engine

    func parameter(_ name: String, _ shape: [Int]) throws -> Parameter {
        var found = checkpoint.find(name)
        if found == nil && name == ParameterName.embeddings {
            found = checkpoint.find(ParameterName.originalEmbeddings)
        }
        let entry = try found ?? checkpoint.entry(name)
        let value = try Tensor(entry, expecting: shape)
        guard engine.sumOfSquares(value).isFinite else {
            throw MambaModelError.notFinite(file: entry.file.path, tensor: entry.tensor.name)
        }
        return Parameter(name: name, value: value)
    }

    /// A stored head is allowed beside a tied embedding, as the original releases have it.
    func checkHead(equals embedding: Parameter) throws {
        guard let entry = checkpoint.find(ParameterName.lmHead) else { return }
        let head = try Tensor(entry, expecting: embedding.value.shape)
        let isEqual = head.withUnsafeMutableElements { head in
            embedding.value.withUnsafeMutableElements { head.elementsEqual($0) }
        }
        guard isEqual else { throw MambaModelError.differentHead(file: entry.file.path) }
    }
}

extension Tensor {
    /// Views a float32 tensor of a file in place; copies and widens any other.
    fileprivate init(_ entry: SafetensorsCheckpoint.Entry, expecting shape: [Int]) throws {
        guard entry.tensor.shape == shape else {
            throw MambaModelError.shape(
                file: entry.file.path, tensor: entry.tensor.name, found: entry.tensor.shape,
                expected: shape)
        }
        let bytes = entry.file.bytes(of: entry.tensor)
        if entry.tensor.type == .float32, Int(bitPattern: bytes.baseAddress) % 4 == 0 {
            self.init(
                viewing: UnsafeMutableRawBufferPointer(mutating: bytes), shape: shape,
                owner: entry.file)
            return
        }
        self.init(uninitialized: shape)
        try withUnsafeMutableElements { try entry.file.readFloats(of: entry.tensor, into: $0) }
    }
}
