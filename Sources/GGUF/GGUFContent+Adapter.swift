import LoRA
import MambaLM
import Storage
import Tensors

extension GGUFContent {
    /// Adapters for a model of llama.cpp that ``init(_:name:tokenizer:type:gain:separatesHead:)`` made.
    ///
    /// llama.cpp multiplies all by one `alpha` over each rank. Scalings that differ from the first one's go into
    /// `loraB`.
    ///
    /// Source: `convert_lora_to_gguf.py` of llama.cpp.
    ///
    /// - Parameters:
    ///   - adapters: The adapters.
    ///   - model: What they are attached to.
    ///   - name: What they are called.
    ///   - type: How both factors are kept.
    ///   - gain: That of the model's file; here, too, it multiplies the rows of `x_proj` that make `C`.
    /// - Throws: ``GGUFError/adapter(layer:)``.
    public init(
        _ adapters: LoRAAdapterSet, of model: MambaModel, name: String, type: GGUFOutputType,
        gain: Float = 1
    ) throws {
        let terms = adapters.terms
        let products = terms.map { Double($0.scaling) * Double($0.loraA.shape[$0.rankAxis]) }
        let alpha = Float(products.first { $0 != 0 } ?? 1)
        self.init(
            pairs: [
                ("general.architecture", .text("mamba")), ("general.type", .text("adapter")),
                ("general.name", .text(name)), ("general.file_type", .uint32(type.fileType)),
                ("adapter.type", .text("lora")), ("adapter.lora.alpha", .float32(alpha)),
            ], tensors: [])
        if type == .q8_0 { pairs.append(("general.quantization_version", .uint32(2))) }
        let x = model.configuration
        for (term, product) in zip(terms, products) {
            guard let name = Self.tensorName(ofLayer: term.layer) else {
                throw GGUFError.adapter(layer: term.layer)
            }
            // Of equal settings the quotient is 1 but for the rounding of the scaling.
            let quotient = product / Double(alpha)
            let factor = abs(quotient - 1) < 1e-6 ? 1 : Float(quotient)
            let rank = term.loraB.shape[1]
            let gained =
                name.hasSuffix("ssm_x.weight") ? (x.projections - x.state) * rank : Int.max
            let (loraA, loraB) = (term.loraA, term.loraB)
            tensors.append(
                GGUFTensor(name + ".lora_a", shape: loraA.shape, type: type.type) { sink in
                    try loraA.withElements { try sink.write($0) }
                })
            tensors.append(
                GGUFTensor(name + ".lora_b", shape: loraB.shape, type: type.type) { sink in
                    try sink.write(
                        loraB.values.enumerated().map { index, value in
                            value * factor * (index >= gained ? gain : 1)
                        })
                })
        }
        if model.isTied, terms.contains(where: { $0.isTable }) {
            notes.append(
                "the adapter changes the embedding or the output projection, which share a weight: "
                    + "llama.cpp takes it with a model that was exported with --untie")
        }
        if gain != 1 {
            notes.append(
                "the adapter was made for a chain with gain \(gain): export its model with "
                    + "--chain-gain \(gain)")
        }
    }

    /// The name of a layer's weight in llama.cpp; `nil` for a layer that is none of a Mamba model.
    private static func tensorName(ofLayer layer: String) -> String? {
        switch layer {
        case "backbone.embeddings": return "token_embd.weight"
        case "lm_head": return "output.weight"
        default:
            let parts = layer.split(separator: ".")
            let names = [
                "in_proj": "ssm_in", "x_proj": "ssm_x", "dt_proj": "ssm_dt", "out_proj": "ssm_out",
            ]
            guard parts.count == 5, parts.starts(with: ["backbone", "layers"]),
                parts[3] == "mixer", let number = Int(parts[2]),
                let name = names[String(parts[4])]
            else { return nil }
            return "blk.\(number).\(name).weight"
        }
    }
}

extension LoRAAdapterSet.Term {
    /// The axis of `loraA` that has the rank's size: an embedding's is `[vocabulary, rank]`, as llama.cpp wants it.
    fileprivate var rankAxis: Int { isEmbedding ? 1 : 0 }

    /// Whether the layer is the embedding or shares its weight.
    fileprivate var isTable: Bool { isEmbedding || layer == "lm_head" }
}
