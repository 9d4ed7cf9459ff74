import Storage

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

/// Why a tokenizer cannot be loaded, besides the faults of files and of their JSON.
public enum TokenizerError: Error, Equatable {
    /// None of the files that were looked for exists.
    case missing(paths: [String])
    /// A field has an invalid value.
    case invalid(file: String, field: String, found: String, expected: String)
    /// A field asks for something this toolkit does not do.
    case unsupported(file: String, field: String, found: String, supported: String)
    /// A token that another part of the files names is in no vocabulary.
    case unknownToken(file: String, field: String, token: String)
    /// The SentencePiece library refuses a model.
    case sentencePiece(file: String, reason: String)
}

extension TokenizerError: CustomStringConvertible {
    /// The error as one line.
    public var description: String {
        switch self {
        case .missing(let paths):
            "no tokenizer found, expected one of \(paths.map(quoted).joined(separator: ", ")); copy it "
                + "there from where the model is from (state-spaces' models use EleutherAI/gpt-neox-20b's)"
        case .invalid(let file, let field, let found, let expected):
            "\(quotedPath(file)): field \(quoted(field)) is \(oneLine(found)), "
                + "expected \(expected)"
        case .unsupported(let file, let field, let found, let supported):
            "\(quotedPath(file)): field \(quoted(field)) is \(oneLine(found)), "
                + "which is not supported; supported is \(supported)"
        case .unknownToken(let file, let field, let token):
            "\(quotedPath(file)): field \(quoted(field)) names token \(quoted(token)), "
                + "which is not in the vocabulary"
        case .sentencePiece(let file, let reason):
            "\(quotedPath(file)): not a usable SentencePiece model: \(oneLine(reason))"
        }
    }
}
