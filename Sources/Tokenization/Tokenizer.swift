/// Text to token ids and back, as the library that made the model's vocabulary does it.
///
/// Ids are exactly those of that library with `add_special_tokens=False`: nothing is put before or
/// after a text. What a model wants around it (a bos, an eos) is the caller's, from
/// ``TokenizerConfiguration``.
public protocol Tokenizer: Sendable {
    /// One more than the largest id.
    var vocabularySize: Int { get }

    /// The ids that stand for no text of their own (`special`, control), in ascending order.
    var specialTokenIDs: [Int32] { get }

    /// Whether an id is one of ``specialTokenIDs``.
    func isSpecial(_ id: Int32) -> Bool

    /// The token as the vocabulary writes it, such as `Ġthe` or `▁the`; nil for an id it lacks.
    func token(for id: Int32) -> String?

    /// The id of a token as the vocabulary writes it, compared byte for byte.
    func id(of token: String) -> Int32?

    /// An encoder, with caches of its own, for one thread.
    ///
    /// - Parameter recognisingSpecialTokens: Whether a special token written in the text becomes
    ///   its id. Say false for text from strangers; then it is text like any other.
    /// - Returns: The encoder.
    func makeEncoder(recognisingSpecialTokens: Bool) -> any TokenEncoder

    /// The text of ids. Ids that the vocabulary lacks are left out, as the libraries do.
    ///
    /// - Parameters:
    ///   - ids: The ids.
    ///   - skippingSpecialTokens: Whether special tokens are left out.
    /// - Returns: The text; bytes that are not UTF-8 are U+FFFD.
    func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String

    /// A decoder for ids that come one at a time.
    ///
    /// - Parameter skippingSpecialTokens: Whether special tokens are left out.
    /// - Returns: The decoder.
    func makeStreamingDecoder(skippingSpecialTokens: Bool) -> StreamingDecoder
}

/// Turns one text after another into ids, on one thread.
public protocol TokenEncoder: AnyObject {
    /// Appends the ids of a text.
    ///
    /// - Parameters:
    ///   - utf8: The text; bytes that are not UTF-8 count as U+FFFD.
    ///   - ids: Where the ids go.
    func encode(_ utf8: [UInt8], into ids: inout [Int32])
}

extension TokenEncoder {
    /// The ids of a text.
    public func encode(_ text: String) -> [Int32] { encode(Array(text.utf8)) }

    /// The ids of a text in UTF-8.
    public func encode(_ utf8: [UInt8]) -> [Int32] {
        var ids: [Int32] = []
        encode(utf8, into: &ids)
        return ids
    }
}

extension Tokenizer {
    /// The ids of one text.
    ///
    /// For many texts keep an encoder, which remembers words.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - recognisingSpecialTokens: Whether a special token written in it becomes its id.
    /// - Returns: The ids.
    public func encode(_ text: String, recognisingSpecialTokens: Bool = true) -> [Int32] {
        makeEncoder(recognisingSpecialTokens: recognisingSpecialTokens).encode(text)
    }

    /// The ids of one text in UTF-8.
    ///
    /// - Parameters:
    ///   - utf8: The text; bytes that are not UTF-8 count as U+FFFD.
    ///   - recognisingSpecialTokens: Whether a special token written in it becomes its id.
    /// - Returns: The ids.
    public func encode(_ utf8: [UInt8], recognisingSpecialTokens: Bool = true) -> [Int32] {
        makeEncoder(recognisingSpecialTokens: recognisingSpecialTokens).encode(utf8)
    }

    /// An encoder that recognises special tokens.
    public func makeEncoder() -> any TokenEncoder { makeEncoder(recognisingSpecialTokens: true) }

    /// The text of ids, special tokens included.
    public func decode(_ ids: [Int32]) -> String { decode(ids, skippingSpecialTokens: false) }

    /// A decoder for ids that come one at a time, special tokens included.
    public func makeStreamingDecoder() -> StreamingDecoder {
        makeStreamingDecoder(skippingSpecialTokens: false)
    }
}
