import Layers

extension AdaptableLayer {
    /// The name's last component, such as `in_proj`.
    var shortName: String {
        name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name
    }

    /// Whether the layer is an embedding.
    var isEmbedding: Bool {
        if case .embedding = kind { true } else { false }
    }

    /// The shapes of `loraA` and `loraB` as adapters hold them.
    func shapes(rank: Int) -> (loraA: [Int], loraB: [Int]) {
        switch kind {
        case .linear(let linear): ([rank, linear.inFeatures], [linear.outFeatures, rank])
        case .embedding(let embedding):
            ([embedding.weight.shape[0], rank], [embedding.weight.shape[1], rank])
        }
    }

    /// The last components of names, each once, in order.
    static func shortNames(of layers: [AdaptableLayer]) -> [String] {
        var names: [String] = []
        for layer in layers where !names.contains(layer.shortName) {
            names.append(layer.shortName)
        }
        return names
    }

    /// Whether a target module of a configuration names the layer.
    fileprivate func isTarget(_ target: String) -> Bool {
        guard target == LoRAConfiguration.allLinear else { return ModuleName(target).fits(name) }
        return !isEmbedding && !isHead
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
    func sites(in model: any AdaptableModel, file: String?) throws -> [AdaptableLayer] {
        let all = model.adaptableLayers
        let names = AdaptableLayer.shortNames(of: all)
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
