/// The keys of a model's tensors in the Hugging Face layout.
public enum ParameterName {
    /// The token embedding, `[vocabulary, model]`.
    public static let embeddings = "backbone.embeddings.weight"
    /// The final normalisation, `[model]`.
    public static let normF = "backbone.norm_f.weight"
    /// The output projection, `[vocabulary, model]`; absent when tied to the embedding.
    public static let lmHead = "lm_head.weight"
    /// What the original releases call ``embeddings``.
    static let originalEmbeddings = "backbone.embedding.weight"

    /// The normalisation before a block's mixer, `[model]`.
    public static func norm(layer: Int) -> String { "backbone.layers.\(layer).norm.weight" }

    /// A tensor of a block's mixer, such as `in_proj.weight`.
    public static func mixer(_ tensor: String, layer: Int) -> String {
        "backbone.layers.\(layer).mixer.\(tensor)"
    }
}
