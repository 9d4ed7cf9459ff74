import Layers
import Tensors

/// The adapters of a model, from one configuration.
///
///     let adapters = try LoRAAdapterSet.attach(configuration, to: model, using: &generator)
///     adapters.makeTrainable()
///     …
///     try adapters.write(to: folder)
///
/// Freshly attached adapters leave the model's results as they are: one factor is zero.
public final class LoRAAdapterSet {
    /// What the adapters were made from.
    public let configuration: LoRAConfiguration
    /// The model that they are attached to.
    public let model: any AdaptableModel
    /// One adapter a layer, in the order of the forward pass.
    let attachments: [Attachment]

    /// An adapter and its layer.
    struct Attachment {
        /// The two kinds of adapters.
        enum Adapter {
            case linear(LoRALinear, of: Linear)
            case embedding(LoRAEmbedding, of: Embedding)
        }

        /// The layer's full name.
        let name: String
        /// The adapter and the layer.
        let adapter: Adapter
    }

    /// The two factors of a low-rank term, in the shapes that adapters hold.
    struct Factors {
        let loraA: Tensor
        let loraB: Tensor
    }

    /// Attaches adapters with the given factors.
    ///
    /// - Precondition: No layer has an adapter yet.
    init(
        _ configuration: LoRAConfiguration, of model: any AdaptableModel,
        factors: [(site: AdaptableLayer, factors: Factors)]
    ) {
        self.configuration = configuration
        self.model = model
        attachments = factors.map { site, factors in
            let names = PEFTTensorName(site)
            let loraA = Parameter(
                name: names.loraA, value: model.engine.reachable(factors.loraA))
            let loraB = Parameter(
                name: names.loraB, value: model.engine.reachable(factors.loraB))
            let scaling = configuration.scaling(of: site.name)
            switch site.kind {
            case .linear(let linear):
                let adapter = LoRALinear(
                    name: site.name, loraA: loraA, loraB: loraB, scaling: scaling,
                    dropout: Float(configuration.dropout))
                precondition(linear.adapter == nil, "\(site.name) has an adapter already")
                linear.adapter = adapter
                return Attachment(name: site.name, adapter: .linear(adapter, of: linear))
            case .embedding(let embedding):
                let adapter = LoRAEmbedding(loraA: loraA, loraB: loraB, scaling: scaling)
                precondition(embedding.adapter == nil, "\(site.name) has an adapter already")
                embedding.adapter = adapter
                return Attachment(name: site.name, adapter: .embedding(adapter, of: embedding))
            }
        }
    }

    /// Attaches fresh adapters, frozen.
    ///
    /// Linear layers get `loraA` even in `±1/√in` (Kaiming's bound for `a = √5`) and `loraB` zero,
    /// the embedding `loraA` zero and `loraB` standard normal, as in PEFT; drawn layer by layer in
    /// the order of the forward pass.
    ///
    /// - Parameters:
    ///   - configuration: The layers, the rank and so on.
    ///   - model: The model; its layers have no adapters.
    ///   - generator: The source of randomness.
    /// - Returns: The adapters.
    /// - Throws: ``LoRAError`` if a name fits no layer or a number is out of range.
    public static func attach(
        _ configuration: LoRAConfiguration, to model: any AdaptableModel,
        using generator: inout some RandomNumberGenerator
    ) throws -> LoRAAdapterSet {
        try configuration.check()
        let sites = try configuration.sites(in: model, file: nil)
        let factors = sites.map { site in
            let shapes = site.shapes(rank: configuration.rank(of: site.name))
            let (loraA, loraB) = (Tensor(shape: shapes.loraA), Tensor(shape: shapes.loraB))
            switch site.kind {
            case .linear(let linear):
                let bound = 1 / Double(linear.inFeatures).squareRoot()
                loraA.values = (0..<loraA.count).map { _ in
                    Float(generator.nextUniform(-bound, bound))
                }
            case .embedding:
                loraB.values = (0..<loraB.count).map { _ in Float(generator.nextNormal()) }
            }
            return (site, Factors(loraA: loraA, loraB: loraB))
        }
        return LoRAAdapterSet(configuration, of: model, factors: factors)
    }

    /// Takes the adapters away from the model, which is then as it was before.
    public func detach() {
        for attachment in attachments {
            switch attachment.adapter {
            case .linear(let adapter, let linear):
                if linear.adapter === adapter { linear.adapter = nil }
            case .embedding(let adapter, let embedding):
                if embedding.adapter === adapter { embedding.adapter = nil }
            }
        }
    }

    /// Gives the adapters back to the model, from which ``detach()`` took them.
    ///
    /// - Precondition: No layer has an adapter.
    public func attach() {
        for attachment in attachments {
            switch attachment.adapter {
            case .linear(let adapter, let linear):
                precondition(linear.adapter == nil, "\(attachment.name) has an adapter already")
                linear.adapter = adapter
            case .embedding(let adapter, let embedding):
                precondition(embedding.adapter == nil, "\(attachment.name) has an adapter already")
                embedding.adapter = adapter
            }
        }
    }

    /// All parameters in a fixed order: the embedding, the blocks, the output projection; of each
    /// layer `loraA`, then `loraB`.
    ///
    /// Names are those of PEFT files. Shapes are those of PEFT files except for the embedding's
    /// `loraA`, see ``LoRAEmbedding``.
    public var parameters: [Parameter] { attachments.flatMap(\.parameters) }

    /// The number of values in all parameters.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }

    /// Gives all parameters a gradient.
    public func makeTrainable() {
        for parameter in parameters { parameter.makeTrainable(on: model.engine) }
    }
}

extension LoRAAdapterSet.Attachment {
    /// `loraA`, then `loraB`.
    var parameters: [Parameter] {
        switch adapter {
        case .linear(let adapter, _): adapter.parameters
        case .embedding(let adapter, _): adapter.parameters
        }
    }
}

extension LoRAAdapterSet {
    /// A model without adapters that gives the results of this one with them.
    ///
    ///     weight += scaling * loraB · loraA         of a linear layer
    ///     weight += scaling * (loraB · loraA)ᵀ      of the embedding
    ///
    /// The given model stays as it is; parameters without an adapter are shared with it. An adapter
    /// acts on the embedding or on the output projection: where both share a weight and one is adapted, they
    /// have one each in the result.
    ///
    /// - Parameter model: The model that the adapters are attached to.
    /// - Returns: The merged model.
    /// - Precondition: Weights with an adapter are kept in single precision.
    public func merged<Model: AdaptableModel>(into model: Model) -> Model {
        precondition(model === self.model, "the adapters are of another model")
        var weights: [String: Tensor] = [:]
        for attachment in attachments {
            switch attachment.adapter {
            case .linear(let adapter, let linear):
                weights[attachment.name] = adapter.merged(
                    into: linear.weight.value, engine: model.engine)
            case .embedding(let adapter, let embedding):
                weights[attachment.name] = adapter.merged(
                    into: embedding.weight.value, engine: model.engine)
            }
        }
        return model.replacing(weights)
    }
}

extension LoRALinear {
    /// `weight + scaling * loraB · loraA`.
    func merged(into weight: Tensor, engine: any Engine) -> Tensor {
        let (result, scaledB) = (engine.copy(weight), engine.copy(loraB.value))
        engine.scale(scaledB, by: scaling)
        engine.linearInputGradient(scaledB, weight: loraA.value, adding: result, into: result)
        return result
    }
}

extension LoRAEmbedding {
    /// `weight + scaling * (loraB · loraA)ᵀ`, with `loraA` as files hold it.
    func merged(into weight: Tensor, engine: any Engine) -> Tensor {
        let (result, scaledB) = (engine.copy(weight), engine.copy(loraB.value))
        engine.scale(scaledB, by: scaling)
        engine.linear(loraA.value, weight: scaledB, bias: nil, adding: result, into: result)
        return result
    }
}

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
