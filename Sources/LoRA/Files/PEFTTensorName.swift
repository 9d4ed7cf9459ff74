import Layers

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
