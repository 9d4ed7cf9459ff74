/// Gives out text as ids come in, whole characters only.
///
/// What the calls of ``push(_:)`` and ``finish()`` return, put together, is what decoding all the
/// ids at once gives.
///
///     var decoder = tokenizer.makeStreamingDecoder()
///     for id in ids { print(decoder.push(id), terminator: "") }
///     print(decoder.finish())
public struct StreamingDecoder: Sendable {
    private var state: any StreamingDecoderState

    init(_ state: any StreamingDecoderState) { self.state = state }

    /// Takes one id.
    ///
    /// - Returns: The text that is now certain; empty while a character is incomplete.
    public mutating func push(_ id: Int32) -> String { state.push(id) }

    /// Ends the text.
    ///
    /// - Returns: What was held back; the bytes of a character that was never completed are
    ///   U+FFFD. The decoder is then as new.
    public mutating func finish() -> String { state.finish() }
}

/// How one kind of tokenizer decodes id by id.
protocol StreamingDecoderState: Sendable {
    mutating func push(_ id: Int32) -> String
    mutating func finish() -> String
}
