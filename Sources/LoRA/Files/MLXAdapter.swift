import Layers
import Storage
import Tensors

/// The adapters of mlx-lm: `adapter_config.json` and `adapters.safetensors`.
///
///     y += scale * (x · lora_a) · lora_b      lora_a [in, rank], lora_b [rank, out]
///
/// Which layers are adapted is told by the tensors; the configuration only bounds them to the last
/// `num_layers` blocks.
enum MLXAdapter {
    /// Reads an adapter of linear layers and attaches it, frozen.
    ///
    /// - Parameters:
    ///   - fields: The configuration's.
    ///   - folder: The folder of the tensors.
    ///   - model: The model; its layers have no adapters.
    /// - Returns: The adapters.
    /// - Throws: ``LoRAError``, `SafetensorsError` or `JSONError`.
    static func read(
        _ fields: JSONFields, folder: String, of model: any AdaptableModel
    ) throws -> LoRAAdapterSet {
        var configuration = try configuration(fields)
        var tensors = try AdapterTensors(folder: folder, stem: AdapterFile.mlxStem)
        let sites = try sites(in: tensors, of: model, blocks: blocks(fields, of: model))
        configuration.targetModules = targets(sites, of: model)
        let factors = try sites.map { site in
            let shapes = site.shapes(rank: configuration.rank)
            let loraA = try tensors.take(
                site.name + endings.loraA, shape: shapes.loraA, isTransposed: true)
            let loraB = try tensors.take(
                site.name + endings.loraB, shape: shapes.loraB, isTransposed: true)
            return (site, LoRAAdapterSet.Factors(loraA: loraA, loraB: loraB))
        }
        return LoRAAdapterSet(configuration, of: model, factors: factors)
    }

    private static let endings = (loraA: ".lora_a", loraB: ".lora_b")

    private static func configuration(_ fields: JSONFields) throws -> LoRAConfiguration {
        if let type = try fields.string(ifPresent: "fine_tune_type"), type != "lora" {
            throw LoRAError.unsupported(
                file: fields.place, field: "fine_tune_type",
                found: JSONWriter().string(.string(type)), expected: "\"lora\"")
        }
        let parameters = try fields.object("lora_parameters")
        // Releases differ on whether it counts.
        if let alpha = parameters.object["alpha"], !alpha.isNull {
            throw LoRAError.unsupported(
                file: fields.place, field: "lora_parameters.alpha",
                found: JSONWriter().string(alpha), expected: "'scale' alone")
        }
        var configuration = LoRAConfiguration()
        configuration.rank = try parameters.integer("rank")
        configuration.alpha = try parameters.number("scale") * Double(configuration.rank)
        configuration.dropout = try parameters.number(ifPresent: "dropout") ?? 0
        configuration.baseModel = try fields.string(ifPresent: "model")
        try configuration.check(file: fields.place)
        return configuration
    }

    /// The blocks that may have adapters: the last `num_layers`, all if that is 0 or less.
    private static func blocks(
        _ fields: JSONFields, of model: any AdaptableModel
    ) throws -> Range<Int> {
        let all = Set(model.adaptableLayers.compactMap(\.block)).count
        // Older releases have it under another name.
        let count =
            try fields.integer(ifPresent: "num_layers")
            ?? fields.integer(ifPresent: "lora_layers") ?? 0
        return count > 0 && count < all ? all - count..<all : 0..<all
    }

    /// The layers with a tensor in the file; a kind of layer must have one in every block.
    private static func sites(
        in tensors: AdapterTensors, of model: any AdaptableModel, blocks: Range<Int>
    ) throws -> [AdaptableLayer] {
        let all = model.adaptableLayers
        var found: Set<String> = []
        for name in tensors.names {
            let layer = [endings.loraA, endings.loraB].first { name.hasSuffix($0) }
                .map { String(name.dropLast($0.count)) }
            guard let site = all.first(where: { $0.name == layer }),
                site.block.map(blocks.contains) ?? true
            else {
                throw LoRAError.unexpectedTensor(file: tensors.path, name: name)
            }
            if site.isEmbedding {
                throw LoRAError.embeddingInHead(file: tensors.path, name: name)
            }
            found.insert(site.name)
        }
        guard !found.isEmpty else {
            throw LoRAError.noTargets(
                file: tensors.path, available: AdaptableLayer.shortNames(of: all))
        }
        let kinds = Set(all.filter { found.contains($0.name) }.map(\.shortName))
        return all.filter {
            kinds.contains($0.shortName) && ($0.block.map(blocks.contains) ?? true)
        }
    }

    /// Short names if they mean the same layers, else full ones.
    private static func targets(_ sites: [AdaptableLayer], of model: any AdaptableModel) -> [String]
    {
        let kinds = AdaptableLayer.shortNames(of: sites)
        let meant = model.adaptableLayers.filter { kinds.contains($0.shortName) }
        return meant.count == sites.count ? kinds : sites.map(\.name)
    }
}
