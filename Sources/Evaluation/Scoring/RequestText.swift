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
        (promptLength, firstPlace) = (context.count, context.count - 1)
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
        (self.promptLength, firstPlace) = (promptLength, 0)
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
