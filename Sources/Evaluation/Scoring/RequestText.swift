import Python
import Tokenization

/// A continuation to be scored after a context, in token ids.
public struct ScoringRequest: Equatable, Sendable {
    /// What comes before, at least one token.
    public var context: [Int32]
    /// What is scored, at least one token.
    public var continuation: [Int32]

    /// Groups the ids.
    public init(context: [Int32], continuation: [Int32]) {
        self.context = context
        self.continuation = continuation
    }
}

/// The score of a continuation.
public struct ContinuationScore: Equatable, Sendable {
    /// The natural logarithm of each token's probability, given all before it.
    public var logProbabilities: [Double]
    /// Whether every token was the most likely one.
    public var isGreedy: Bool

    /// The natural logarithm of the continuation's probability.
    public var logLikelihood: Double { logProbabilities.reduce(0, +) }
}

/// Turns a context and a continuation into token ids, as lm-evaluation-harness does.
///
/// White space at the end of the context moves to the continuation. Both are tokenised together; the
/// context's own length says where the continuation begins. An empty context becomes the prefix token.
/// Where the tokenizer puts a bos before texts, it does here too, unless the text itself begins with
/// the prefix token.
///
/// Source: lm-evaluation-harness 0.4.13, `TemplateLM._encode_pair`, `loglikelihood` and
/// `HFLM.tok_encode`. Where that stops with an assertion (a context of nothing but white space), a
/// blank context counts as an empty one. An eos that a tokenizer puts after texts is left out: there it
/// would take the place of a continuation's first token.
public struct RequestEncoder {
    /// What stands for an empty context.
    public let prefixToken: Int32
    private let encoder: any TokenEncoder
    /// Put before texts.
    private let startToken: Int32?
    private let prefixText: [UInt8]
    /// The context that was encoded last: choices share theirs.
    private var last: (text: [UInt8], ids: [Int32]) = ([], [])

    /// Prepares for one thread's requests.
    ///
    /// - Parameters:
    ///   - tokenizer: Encodes without adding special tokens.
    ///   - prefixToken: Stands for an empty context.
    ///   - startToken: What the model wants before a text; nil for nothing.
    public init(tokenizer: any Tokenizer, prefixToken: Int32, startToken: Int32? = nil) {
        encoder = tokenizer.makeEncoder()
        self.prefixToken = prefixToken
        self.startToken = startToken
        prefixText = Array(tokenizer.decode([prefixToken], skippingSpecialTokens: false).utf8)
    }

    /// Prepares for one thread's requests, with what a tokenizer's files say.
    ///
    /// - Parameters:
    ///   - loaded: The tokenizer.
    ///   - prefixToken: Stands for an empty context; by default the bos, else the eos, else `end`.
    ///   - end: The model's first end token; nil for 0.
    public init(_ loaded: LoadedTokenizer, prefixToken: Int32? = nil, end: Int32?) {
        self.init(
            tokenizer: loaded.tokenizer,
            prefixToken: prefixToken ?? loaded.bosID ?? loaded.eosID ?? end ?? 0,
            startToken: loaded.startID)
    }

    /// Encodes one request.
    ///
    /// - Parameters:
    ///   - context: What comes before.
    ///   - continuation: What is scored.
    /// - Returns: The ids; the continuation has none if its text has none.
    public mutating func encode(context: String, continuation: String) -> ScoringRequest {
        var kept = context.unicodeScalars[...]
        while kept.last?.isPythonSpace == true { kept.removeLast() }
        let bytes = Array(context.utf8)
        let whole = bytes + continuation.utf8
        guard !kept.isEmpty else {
            return request(context: [], continuation: encoder.encode(whole))
        }
        let text = Array(
            bytes.prefix(context.utf8.distance(from: context.startIndex, to: kept.endIndex)))
        if text != last.text { last = (text, encode(text)) }
        return request(
            context: last.ids, continuation: Array(encode(whole).dropFirst(last.ids.count)))
    }

    /// Encodes a whole text.
    public func encode(_ text: String) -> [Int32] { encode(Array(text.utf8)) }

    private func encode(_ text: [UInt8]) -> [Int32] {
        var ids: [Int32] = []
        if let startToken, !text.starts(with: prefixText) { ids.append(startToken) }
        encoder.encode(text, into: &ids)
        return ids
    }

    /// Gives an empty context the prefix token, unless the continuation begins with it.
    public func request(context: [Int32], continuation: [Int32]) -> ScoringRequest {
        guard context.isEmpty else {
            return ScoringRequest(context: context, continuation: continuation)
        }
        if continuation.first == prefixToken && continuation.count > 1 {
            return ScoringRequest(
                context: [prefixToken], continuation: Array(continuation.dropFirst()))
        }
        return ScoringRequest(context: [prefixToken], continuation: continuation)
    }
}

/// What is read for one request, and what is predicted on the way.
struct RequestText {
    private let context: ArraySlice<Int32>
    private let rest: ArraySlice<Int32>
    /// How many of the first tokens are the prompt, on which a tree is built if the model has them.
    let promptLength: Int
    /// The tokens to predict; the first after the token at ``firstPlace``, each other one place on.
    let targets: ArraySlice<Int32>
    /// The place of the token before the first target.
    let firstPlace: Int

    /// The text of a continuation and its context.
    ///
    /// Source: lm-evaluation-harness 0.4.13, `HFLM._loglikelihood_tokens`: the last
    /// `maximumLength + 1` tokens count, and the last of them is not read.
    ///
    /// - Parameters:
    ///   - request: At least one token each; of a longer continuation than `maximumLength`, the last
    ///     tokens are predicted.
    ///   - maximumLength: The most tokens that are read.
    init(_ request: ScoringRequest, maximumLength: Int) {
        precondition(
            !request.context.isEmpty && !request.continuation.isEmpty, "a request has no tokens")
        targets = request.continuation.suffix(maximumLength)
        let cut = request.continuation.dropLast(targets.count)
        context =
            cut.isEmpty
            ? request.context.suffix(maximumLength - (targets.count - 1)) : cut.suffix(1)
        rest = targets.dropLast()
        promptLength = context.count
        firstPlace = context.count - 1
    }

    /// A text of which every token after the first is predicted.
    ///
    /// - Parameters:
    ///   - tokens: At least one id.
    ///   - promptLength: How many of the first tokens are the prompt, at most all.
    init(predictingAllOf tokens: [Int32], promptLength: Int) {
        // The last token is read only where it is part of the prompt.
        context = tokens.prefix(max(promptLength, tokens.count - 1))
        rest = []
        self.promptLength = promptLength
        firstPlace = 0
        targets = tokens.dropFirst()
    }

    /// The number of tokens that are read.
    var count: Int { context.count + rest.count }

    /// The token at a place.
    subscript(place: Int) -> Int32 {
        place < context.count
            ? context[context.startIndex + place]
            : rest[rest.startIndex + place - context.count]
    }

    /// The tokens at some places.
    func tokens(_ places: Range<Int>) -> [Int32] { places.map { self[$0] } }

    /// The number of tokens, from `start` on, that both have in common, all before being so.
    func commonLength(with other: RequestText, from start: Int = 0) -> Int {
        let end = min(count, other.count)
        var place = start
        while place < end, self[place] == other[place] { place += 1 }
        return place
    }

    /// Whether this text comes before another: at the first difference, or by being its beginning.
    ///
    /// - Returns: `nil` if both read the same.
    func precedes(_ other: RequestText) -> Bool? {
        let common = commonLength(with: other)
        guard common < min(count, other.count) else {
            return count == other.count ? nil : count < other.count
        }
        return self[common] < other[common]
    }
}

/// Cuts a text into windows of which every token is predicted once.
///
/// Each window predicts as many tokens as a model reads at once; the last one has as much before them
/// as fits. No state is carried from window to window.
///
/// Source: lm-evaluation-harness 0.4.13, `get_rolling_token_windows` and `make_disjoint_window`.
enum RollingWindows {
    /// The windows of a text.
    ///
    /// - Parameters:
    ///   - tokens: The text; without tokens it has no windows.
    ///   - prefix: What stands before the text.
    ///   - length: The most tokens that are read at once, at least 1.
    /// - Returns: The windows in order.
    static func of(_ tokens: [Int32], prefix: Int32, length: Int) -> [ScoringRequest] {
        precondition(length >= 1)
        guard !tokens.isEmpty else { return [] }
        let first = min(length, tokens.count)
        var windows = [
            ScoringRequest(context: [prefix], continuation: Array(tokens.prefix(first)))
        ]
        var done = first
        while done < tokens.count {
            let count = min(tokens.count - done, length)
            let end = done + count
            // The input is the `length` tokens that end before the last predicted one.
            windows.append(
                ScoringRequest(
                    context: Array(tokens[end - 1 - length..<done]),
                    continuation: Array(tokens[done..<end])))
            done = end
        }
        return windows
    }
}
