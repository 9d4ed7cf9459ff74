import MambaLM
import Tokenization

/// An answer and how it came about.
public struct Reply: Equatable, Sendable {
    /// The text, without a stop string.
    public var text = ""
    /// The ids drawn, without an end token; those of a stop string included.
    public var tokens: [Int32] = []
    /// For each of ``tokens`` its log-probability, before penalties, temperature and filters; `nil` unless
    /// the settings ask for it.
    public var logProbabilities: [Double]?
    /// Why the answer ended.
    public var stopReason = StopReason.length
    /// The stop string that ended it.
    public var stopString: String?
    /// The tokens of the prompt: in ``HistoryMode/recompute`` the whole conversation, else what this turn
    /// added.
    public var promptTokens = 0
    /// How many of them were read for this answer; the others were known from before.
    public var readTokens = 0
    /// The time from the question to the first token.
    public var prefillDuration = Duration.zero
    /// The time from the first token to the end.
    public var decodeDuration = Duration.zero

    /// An empty answer.
    public init() {}

    /// How fast the prompt was read.
    public var prefillTokensPerSecond: Double { rate(readTokens, prefillDuration) }

    /// How fast tokens after the first were drawn.
    public var decodeTokensPerSecond: Double { rate(tokens.count - 1, decodeDuration) }

    private func rate(_ tokens: Int, _ duration: Duration) -> Double {
        let seconds = duration / .seconds(1)
        return seconds > 0 ? Double(max(tokens, 0)) / seconds : 0
    }
}

/// What happens while answers are made.
public enum ReplyEvent: Equatable, Sendable {
    /// Before each layer while a prompt is read, not if all of it is known.
    case reading(ReadingProgress)
    /// Before each step that draws a token of every answer.
    case drawing
    /// The next piece of an answer as it is certain: whole characters only, never a part of a stop string.
    ///
    /// The answers have places from 0; of ``ChatSession/compare(_:onEvent:)`` the one without the adapter has 0.
    case text(String, answer: Int)
}

/// How far the reading of a prompt is.
public struct ReadingProgress: Equatable, Sendable {
    /// The tokens read so far, from 0; those under way count by the part of the model's layers that are
    /// behind them.
    public let readTokens: Int
    /// The tokens to read before the answer begins.
    public let totalTokens: Int
}

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

/// Lets text through up to the first of some stop strings.
///
/// What might be the beginning of a stop string is held back until it is certain that it is not.
struct StopStringScanner {
    private let stops: [[UInt8]]
    /// Held back; may begin a stop string.
    private var held: [UInt8] = []

    /// Prepares to look for texts, none of them empty.
    init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) } }

    /// Takes the next piece of a text.
    ///
    /// - Parameter piece: Whole characters.
    /// - Returns: The text that is now certain to be no part of a stop string; and, once one came up, its
    ///   place in the list: the first to begin, and of those the first in the list.
    mutating func push(_ piece: String) -> (text: String, stop: Int?) {
        held += piece.utf8
        for start in held.indices {
            guard let stop = stops.firstIndex(where: { held[start...].starts(with: $0) }) else {
                continue
            }
            return (take(start), stop)
        }
        let certain = held.indices.first { start in
            stops.contains { $0.starts(with: held[start...]) }
        }
        return (take(certain ?? held.count), nil)
    }

    /// Ends the text: nothing that was held back became a stop string.
    mutating func finish() -> String { take(held.count) }

    /// A stop string begins with a whole character, so no cut before one, or before a part of one, divides
    /// a character.
    private mutating func take(_ count: Int) -> String {
        defer { held.removeFirst(count) }
        return String(decoding: held[..<count], as: UTF8.self)
    }
}
