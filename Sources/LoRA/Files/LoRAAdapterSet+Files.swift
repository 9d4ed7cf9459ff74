import Layers
import Storage
import Tensors

extension LoRAAdapterSet {
    /// Reads an adapter and attaches it, frozen.
    ///
    /// Two formats are known, told apart by `adapter_config.json`: PEFT's, with
    /// `adapter_model.safetensors`, and that of mlx-lm, with `adapters.safetensors`. Tensors may be
    /// of type F32, F16 or BF16.
    ///
    /// Adapters of PEFT act as they do there in evaluation, except on `dt_proj`: see ``note``.
    ///
    /// - Parameters:
    ///   - folder: The folder of the two files.
    ///   - model: The model; its layers have no adapters.
    /// - Returns: The adapters, and what the caller should warn of, a sentence each: fields of the
    ///   configuration that are unknown and hold something, and ``note``.
    /// - Throws: ``LoRAError``, `SafetensorsError`, `JSONError` or `FileError`; nothing is attached
    ///   then.
    public static func read(
        _ folder: String, attachingTo model: any AdaptableModel
    ) throws -> (adapters: LoRAAdapterSet, notes: [String]) {
        let file = "\(folder)/\(AdapterFile.configuration)"
        let options = JSONOptions(refusesDuplicateKeys: true)
        let fields = try JSONFields(
            JSONValue.read(file, limit: AdapterFile.configurationLimit, options: options),
            file: file)
        if fields.isPresent("peft_type") {
            let (configuration, unknownFields) = try PEFTConfiguration.read(fields)
            let adapters = try readPEFT(configuration, file: file, folder: folder, of: model)
            let unknown = unknownFields.map { "\(file): field '\($0)' is not known" }
            return (adapters, unknown + [adapters.note].compactMap { $0 })
        }
        if fields.isPresent("lora_parameters") {
            return (try MLXAdapter.read(fields, folder: folder, of: model), [])
        }
        throw LoRAError.unknownFormat(file: file)
    }

    /// What to know before the adapters are used with Python's libraries; nil if there is nothing.
    ///
    /// Mamba of transformers reads the weight of `dt_proj` itself instead of calling the layer.
    /// Adapters of mlx-lm act there as here.
    public var note: String? {
        guard attachments.contains(where: { ModuleName("dt_proj").fits($0.name) }) else {
            return nil
        }
        return "the adapter on dt_proj acts here, but in transformers with PEFT not before it is "
            + "merged"
    }

    private static func readPEFT(
        _ configuration: LoRAConfiguration, file: String, folder: String,
        of model: any AdaptableModel
    ) throws -> LoRAAdapterSet {
        let sites = try configuration.sites(in: model, file: file)
        var tensors = try AdapterTensors(folder: folder, stem: AdapterFile.peftStem)
        let scope = tensors.metadata[AdapterFile.scopeKey]
        guard scope == nil || scope == AdapterFile.lookUpScope else {
            throw LoRAError.unsupported(
                file: tensors.path, field: AdapterFile.scopeKey, found: "'\(scope ?? "")'",
                expected: "'\(AdapterFile.lookUpScope)'")
        }
        let factors = try sites.map { site in
            let shapes = site.shapes(rank: configuration.rank(of: site.name))
            let names = PEFTTensorName(site)
            let loraA = try tensors.take(
                names.loraA, shape: shapes.loraA, isTransposed: site.isEmbedding)
            let loraB = try tensors.take(names.loraB, shape: shapes.loraB)
            return (site, Factors(loraA: loraA, loraB: loraB))
        }
        try tensors.checkRest(against: model)
        return LoRAAdapterSet(configuration, of: model, factors: factors)
    }
}

/// The names of an adapter's files, and what is in them that tensors do not say.
enum AdapterFile {
    /// The configuration, in both formats.
    static let configuration = "adapter_config.json"
    /// The largest accepted configuration, in bytes.
    static let configurationLimit = 1 << 24
    /// PEFT's tensors, without the ending.
    static let peftStem = "adapter_model"
    /// The tensors of mlx-lm, without the ending.
    static let mlxStem = "adapters"
    /// The key, among the metadata, of what the embedding's adapter acts on.
    static let scopeKey = "embedding_adapter"
    /// The look-up alone, not an output projection that shares the table.
    static let lookUpScope = "lookup"
}

extension LoRAAdapterSet {
    /// The name of the file without which an adapter's others are not used.
    public static let keyFile = AdapterFile.configuration

    /// The tensors of an adapter file, in the order of ``parameters``.
    public var storedTensors: [StoredTensor] { fileTensors.map(\.stored) }

    /// A parameter as adapter files hold it.
    private struct FileTensor {
        let stored: StoredTensor
        let parameter: Parameter
        let isTransposed: Bool

        /// The values in the file's order.
        var values: [Float] {
            isTransposed ? parameter.value.transposed().values : parameter.value.values
        }
    }

    private var fileTensors: [FileTensor] {
        attachments.flatMap { attachment in
            attachment.parameters.map { parameter in
                // The one tensor that is held in another shape than PEFT's.
                let isTransposed = parameter === attachment.transposed
                let shape = parameter.value.shape
                return FileTensor(
                    stored: StoredTensor(
                        name: parameter.name, shape: isTransposed ? shape.reversed() : shape),
                    parameter: parameter, isTransposed: isTransposed)
            }
        }
    }

    /// A low-rank term beside a layer, for files of other formats.
    public struct Term {
        /// The layer's full name.
        public let layer: String
        /// Whether the layer is an embedding.
        public let isEmbedding: Bool
        /// What the term is multiplied by.
        public let scaling: Float
        /// `[rank, in]`; of an embedding `[vocabulary, rank]`.
        public let loraA: Tensor
        /// `[out, rank]`.
        public let loraB: Tensor
    }

    /// The terms in the order of the forward pass.
    public var terms: [Term] {
        attachments.map { attachment in
            switch attachment.adapter {
            case .linear(let adapter, _):
                Term(
                    layer: attachment.name, isEmbedding: false, scaling: adapter.scaling,
                    loraA: adapter.loraA.value, loraB: adapter.loraB.value)
            case .embedding(let adapter, _):
                Term(
                    layer: attachment.name, isEmbedding: true, scaling: adapter.scaling,
                    loraA: adapter.loraA.value, loraB: adapter.loraB.value)
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
        let tensors = fileTensors.sorted {
            $0.stored.name.utf8.lexicographicallyPrecedes($1.stored.name.utf8)
        }
        var metadata = SafetensorsWriter.ownMetadata
        if tensors.contains(where: \.isTransposed) {
            metadata[AdapterFile.scopeKey] = AdapterFile.lookUpScope
        }
        var rest = tensors[...]
        try SafetensorsWriter.write(
            tensors.map {
                SafetensorsWriter.Spec(
                    name: $0.stored.name, type: .float32, shape: $0.stored.shape)
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

/// The keys of a layer's tensors in PEFT files.
struct PEFTTensorName {
    /// Of `loraA`.
    let loraA: String
    /// Of `loraB`.
    let loraB: String

    /// What PEFT puts in front of a base model's names.
    static let prefix = "base_model.model."

    /// The keys of an adapter of `site`.
    init(_ site: AdaptableLayer) {
        let layer = PEFTTensorName.prefix + site.name
        switch site.kind {
        case .linear: (loraA, loraB) = (layer + ".lora_A.weight", layer + ".lora_B.weight")
        case .embedding: (loraA, loraB) = (layer + ".lora_embedding_A", layer + ".lora_embedding_B")
        }
    }

    /// The name in the base model of a tensor that an adapter file repeats; `nil` if it is of another
    /// kind.
    static func baseName(of key: String) -> String? {
        guard key.hasPrefix(prefix) else { return nil }
        let parts = key.dropFirst(prefix.count).split(
            separator: ".", omittingEmptySubsequences: false)
        return parts.filter { $0 != "base_layer" }.joined(separator: ".")
    }
}
