import Layers
import Storage
import Tensors

/// Tells models apart by their contents: all that results depend on but the engine that computes them.
///
///     model.fingerprint           // mamba 24x768x1536x16x50280 float32 5c3e…, adapter 91b0…, chain, gain 1.0
///     model.fingerprint.weights   // mamba 24x768x1536x16x50280 float32 5c3e…
///
/// Every bit of every value counts, and the name, shape and format of every tensor. The values are read at the
/// speed of memory, and once: a parameter keeps its hash as long as it is frozen.
public struct ModelFingerprint: Equatable, Sendable, CustomStringConvertible {
    /// Sizes, format and a hash of the model without adapters.
    public let weights: String
    /// A hash of the adapters' layers, scalings and values; `nil` if there are none.
    public let adapter: String?
    /// How states flow, with all settings.
    public let topology: String

    /// What the weights and the adapters are, whatever the topology.
    public var model: String { weights + (adapter.map { ", adapter \($0)" } ?? "") }

    /// What another model with the same weights has, of whose ``model`` a file tells.
    public func difference(ofSaved saved: String) -> String {
        saved == weights ? "no adapter" : "another adapter"
    }

    /// Whether the weights are those of a model whose ``model`` is given, whatever the adapter.
    public func hasWeights(ofSaved saved: String) -> Bool {
        saved == weights || saved.hasPrefix(weights + ", ")
    }

    /// All of it.
    public var description: String { "\(model), \(topology)" }
}

extension MambaModel {
    /// Tells the model, with its adapters and its topology, apart from others.
    public var fingerprint: ModelFingerprint {
        let x = configuration
        let sizes = "\(x.layers)x\(x.model)x\(x.inner)x\(x.state)x\(x.vocabulary)"
        var hash = XXH64.hash("epsilon \(x.epsilon), tied \(isTied)")
        for parameter in parameters { hash = XXH64.hash("\(parameter.contentHash)", seed: hash) }
        let format = embeddings.weight.matrix.format.rawValue
        return ModelFingerprint(
            weights: "mamba \(sizes) \(format) \(XXH64.text(of: hash))", adapter: adapterHash,
            topology: flow.description)
    }

    private var adapterHash: String? {
        var hash: UInt64?
        func add(_ layer: String, _ scaling: Float, _ parameters: [Parameter]) {
            var sum = XXH64.hash("\(layer) \(scaling)", seed: hash ?? 0)
            for parameter in parameters { sum = XXH64.hash("\(parameter.contentHash)", seed: sum) }
            hash = sum
        }
        if let adapter = embeddings.adapter {
            add(embeddings.weight.name, adapter.scaling, adapter.parameters)
        }
        for linear in blocks.flatMap(\.mixer.linears) + [lmHead] {
            guard let adapter = linear.adapter else { continue }
            // A tied head has the embedding's name.
            let name = linear === lmHead ? MambaTensor.lmHead.name() : linear.weight.name
            add(name, adapter.scaling, adapter.parameters)
        }
        return hash.map(XXH64.text)
    }
}
