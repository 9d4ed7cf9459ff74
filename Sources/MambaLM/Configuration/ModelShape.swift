/// The sizes of the models that Mamba's authors released, and one to try things with.
///
/// Source: Gu and Dao 2023, "Mamba", appendix E.2; the released configurations.
public enum ModelShape: String, CaseIterable, Sendable {
    /// Small enough to train in seconds, with the vocabulary of the released models.
    case tiny
    /// The smallest of the released models, which the paper fine-tunes.
    case m130 = "130m"
    /// The second of the released models.
    case m370 = "370m"
    /// The third of the released models.
    case m790 = "790m"
    /// The fourth of the released models.
    case b1p4 = "1.4b"
    /// The largest of the released models.
    case b2p8 = "2.8b"

    /// The width and the number of blocks; all else follows or is the same.
    private var sizes: (model: Int, layers: Int) {
        switch self {
        case .tiny: (64, 2)
        case .m130: (768, 24)
        case .m370: (1024, 48)
        case .m790: (1536, 48)
        case .b1p4: (2048, 48)
        case .b2p8: (2560, 64)
        }
    }

    /// The configuration.
    public var configuration: MambaConfiguration {
        var x = MambaConfiguration()
        (x.model, x.layers) = sizes
        x.inner = 2 * x.model
        x.stepRank = (x.model + 15) / 16
        return x
    }
}
