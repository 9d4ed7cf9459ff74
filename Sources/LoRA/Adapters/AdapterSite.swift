import MambaLM

/// A layer of a model to which an adapter can be attached.
struct AdapterSite {
    /// The two kinds of layers.
    enum Layer {
        case linear(Linear)
        case embedding(Embedding)
    }

    /// The layer's full name, such as `backbone.layers.0.mixer.in_proj`.
    let name: String
    /// The layer.
    let layer: Layer
    /// The number of the block it is in.
    var block: Int?

    /// The name's last component, such as `in_proj`.
    var shortName: String {
        name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name
    }

    /// Whether the layer is the embedding.
    var isEmbedding: Bool {
        if case .embedding = layer { true } else { false }
    }

    /// The shapes of `loraA` and `loraB` as adapters hold them.
    func shapes(rank: Int) -> (loraA: [Int], loraB: [Int]) {
        switch layer {
        case .linear(let linear): ([rank, linear.inFeatures], [linear.outFeatures, rank])
        case .embedding(let embedding):
            ([embedding.weight.shape[0], rank], [embedding.weight.shape[1], rank])
        }
    }

    /// The name of the embedding.
    static let embeddings = "backbone.embeddings"
    /// The name of the output projection.
    static let lmHead = "lm_head"

    /// The layers of a model, in the order of its forward pass.
    ///
    /// The output projection is named by its place: its weight may be the embedding's.
    static func all(of model: MambaModel) -> [AdapterSite] {
        let embedding = AdapterSite(name: embeddings, layer: .embedding(model.embeddings))
        let linears = model.blocks.flatMap { block in
            block.mixer.linears.map {
                AdapterSite(name: $0.name, layer: .linear($0), block: block.layer)
            }
        }
        return [embedding] + linears + [AdapterSite(name: lmHead, layer: .linear(model.lmHead))]
    }

    /// The last components of names, each once, in order.
    static func shortNames(of sites: [AdapterSite]) -> [String] {
        var names: [String] = []
        for site in sites where !names.contains(site.shortName) { names.append(site.shortName) }
        return names
    }
}

extension LoRAConfiguration {
    /// Finds the layers that the configuration names.
    ///
    /// - Parameters:
    ///   - model: The model to search.
    ///   - file: The file that holds the configuration, for messages.
    /// - Returns: The layers in the order of the forward pass.
    /// - Throws: ``LoRAError`` if a name fits no layer, or there is none.
    func sites(in model: MambaModel, file: String?) throws -> [AdapterSite] {
        let all = AdapterSite.all(of: model)
        let names = AdapterSite.shortNames(of: all)
        guard !targetModules.isEmpty else {
            throw LoRAError.noTargets(file: file, available: names)
        }
        var isTarget = [Bool](repeating: false, count: all.count)
        for target in targetModules {
            let found = all.indices.filter { all[$0].isTarget(target) }
            if found.isEmpty {
                throw LoRAError.unknownTarget(file: file, name: target, available: names)
            }
            for index in found { isTarget[index] = true }
        }
        let sites = zip(all, isTarget).filter(\.1).map(\.0)
        for module in rankPattern.map(\.module) + alphaPattern.map(\.module)
        where !sites.contains(where: { ModuleName(module).fits($0.name) }) {
            throw LoRAError.unknownPattern(file: file, name: module)
        }
        return sites
    }
}

extension AdapterSite {
    fileprivate func isTarget(_ target: String) -> Bool {
        guard target == LoRAConfiguration.allLinear else { return ModuleName(target).fits(name) }
        return !isEmbedding && name != AdapterSite.lmHead
    }
}
