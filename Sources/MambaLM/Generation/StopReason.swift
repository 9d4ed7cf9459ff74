/// Why a text that a model goes on with ended.
public enum StopReason: String, Sendable {
    /// An end token was drawn.
    case end
    /// A text that ends answers came up.
    case stop
    /// The limit of tokens was reached.
    case length
    /// The caller asked for it.
    case stopped
}
