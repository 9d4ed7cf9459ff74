/// A token as a person reads it.
public struct TokenPiece: Equatable, Sendable {
    /// The id.
    public let id: Int32
    /// Its text; bytes that are no whole character are U+FFFD.
    public let text: String
}
