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
