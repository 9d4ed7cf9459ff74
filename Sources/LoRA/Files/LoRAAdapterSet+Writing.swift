import Layers
import Storage
import Tensors

extension LoRAAdapterSet {
    /// The name of the file without which an adapter's others are not used.
    public static let keyFile = AdapterFile.configuration

    /// A tensor as adapter files hold it.
    public struct StoredTensor {
        /// Its key, the parameter's name.
        public let name: String
        /// Its shape in the file.
        public let shape: [Int]
        /// The number of its elements.
        public var count: Int { parameter.value.count }
        let parameter: Parameter
        let isTransposed: Bool

        /// The values in the file's order.
        var values: [Float] {
            isTransposed ? parameter.value.transposed().values : parameter.value.values
        }
    }

    /// The tensors of an adapter file, in the order of ``parameters``.
    public var storedTensors: [StoredTensor] {
        attachments.flatMap { attachment in
            attachment.parameters.map { parameter in
                // The one tensor that is held in another shape than PEFT's.
                let isTransposed = parameter === attachment.transposed
                let shape = parameter.value.shape
                return StoredTensor(
                    name: parameter.name, shape: isTransposed ? shape.reversed() : shape,
                    parameter: parameter, isTransposed: isTransposed)
            }
        }
    }

    /// Writes the two files of a PEFT adapter, each all or nothing, the tensors first.
    ///
    /// Tensors are of type F32, in the order of their names, as PEFT has them. If the embedding is
    /// adapted, the header's metadata say that it acts on the look-up only.
    ///
    /// - Parameter folder: Must exist; files in it are replaced.
    /// - Throws: `FileError`.
    public func write(to folder: String) throws {
        let tensors = storedTensors.sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        var metadata = SafetensorsWriter.ownMetadata
        if tensors.contains(where: \.isTransposed) {
            metadata[AdapterFile.scopeKey] = AdapterFile.lookUpScope
        }
        var rest = tensors[...]
        try SafetensorsWriter.write(
            tensors.map {
                SafetensorsWriter.Spec(name: $0.name, type: .float32, shape: $0.shape)
            }, metadata: metadata, to: "\(folder)/\(AdapterFile.peftStem).safetensors"
        ) { spec, sink in
            // All are of one type, so the writer keeps the order.
            if let tensor = rest.popFirst() { try sink.write(floats: tensor.values) }
        }
        let configuration = PEFTConfiguration.value(of: configuration)
        try AtomicFile.write(
            JSONWriter(indent: 2, sortsKeys: true).string(configuration),
            to: "\(folder)/\(AdapterFile.configuration)")
    }
}

extension LoRAAdapterSet.Attachment {
    /// The parameter that files hold transposed.
    fileprivate var transposed: Parameter? {
        if case .embedding(let adapter, _) = adapter { adapter.loraA } else { nil }
    }
}
