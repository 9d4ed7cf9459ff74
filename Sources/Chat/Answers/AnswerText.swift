import Tokenization

/// The text of an answer as its tokens come in, up to a stop string.
struct AnswerText {
    /// What is certain so far.
    private(set) var text = ""
    /// The place of the stop string that came up; nothing is added after it.
    private(set) var stop: Int?
    private var decoder: StreamingDecoder
    private var scanner: StopStringScanner
    /// White space of the prompt's end that the answer repeats.
    private var repeated: Substring

    init(_ tokenizer: any Tokenizer, stopStrings: [String], repeating: String = "") {
        repeated = repeating[...]
        decoder = tokenizer.makeStreamingDecoder(skippingSpecialTokens: true)
        scanner = StopStringScanner(stopStrings)
    }

    /// Takes a token; gives the text that is now certain.
    mutating func push(_ token: Int32) -> String { add(decoder.push(token)) }

    /// Ends the answer; gives what was held back.
    mutating func finish() -> String {
        let last = add(decoder.finish())
        guard stop == nil else { return last }
        let rest = scanner.finish()
        text += rest
        return last + rest
    }

    private mutating func add(_ piece: String) -> String {
        guard stop == nil, !piece.isEmpty else { return "" }
        let (certain, stop) = scanner.push(withoutRepetition(piece))
        text += certain
        self.stop = stop
        return certain
    }

    /// The piece without what it repeats of the prompt's end.
    private mutating func withoutRepetition(_ piece: String) -> String {
        let count = zip(piece, repeated).prefix { $0 == $1 }.count
        repeated = count == piece.count ? repeated.dropFirst(count) : ""
        return String(piece.dropFirst(count))
    }
}
