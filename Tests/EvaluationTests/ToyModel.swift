import MambaLM
import Tensors

@testable import Evaluation
@testable import Tokenization

/// The toy model of scripts/evaluation/make_goldens.py: its state is a hash of the tokens read.
final class ToyModel: ContinuationModel {
    var canContinue = true
    var hasTrees = false
    /// How many tokens were read in all.
    private(set) var tokensRead = 0
    private(set) var batches = 0
    /// How many states had to outlive their batch.
    private(set) var statesKept = 0

    func read(
        _ sequences: [TokenSequence<UInt64>], scoring scored: [ScoredToken]
    ) -> (states: [UInt64?], scores: CrossEntropy.Result) {
        var states: [UInt64] = []
        var scores = CrossEntropy.Result()
        var next = scored[...]
        var row = 0
        batches += 1
        for sequence in sequences {
            var state =
                switch sequence.origin {
                case .start: UInt64(0x1234)
                case .state(let state): state
                case .sequence(let index): states[index]
                }
            // With a tree, what a prompt becomes depends on its length.
            if hasTrees, sequence.promptLength > 0 {
                state ^= UInt64(sequence.promptLength) << 20
            }
            for token in sequence.tokens {
                state = (state ^ UInt64(token)) &* 0x100_0000_01B3 &+ 0x9E37_79B9_7F4A_7C15
                while let prediction = next.first, prediction.row == row {
                    ToyModel.score(state, prediction.target, into: &scores)
                    next.removeFirst()
                }
                row += 1
            }
            tokensRead += sequence.tokens.count
            states.append(state)
        }
        statesKept += sequences.count { $0.keepsState }
        return (zip(sequences, states).map { $0.keepsState ? $1 : nil }, scores)
    }

    /// What an answer is made of.
    private static let phrases = [
        "The answer is ", "#### ", "42", " 7.", "(A)", "(B)", " yes", "No", "\n", "\n\n", "Q:",
        "é ",
        "1,000", "$12", ": B", " person: Ann",
    ].map { Array($0.utf8) }

    /// Writes answers.
    var writer: AnswerWriter<ToyModel> {
        AnswerWriter(model: self, tokenizer: ByteTokenizer(), endTokens: [], endText: nil, seed: 0)
    }

    func read(beginning tokens: [Int32]) -> UInt64? {
        tokens.isEmpty || !canContinue ? nil : Self.state(0x1234, after: tokens)
    }

    private static func state(_ state: UInt64, after tokens: [Int32]) -> UInt64 {
        tokens.reduce(state) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 &+ 0x9E37_79B9_7F4A_7C15 }
    }

    func write(
        after prompt: [Int32], shared: (tokens: [Int32], state: UInt64)?,
        _ settings: Generation.Settings, count: Int, isDone: ([Int32]) throws -> Bool
    ) rethrows -> [[Int32]] {
        var state = Self.state(
            shared?.state ?? 0x1234, after: Array(prompt.dropFirst(shared?.tokens.count ?? 0)))
        tokensRead += prompt.count - (shared?.tokens.count ?? 0)
        var tokens: [Int32] = []
        while tokens.count < settings.limit {
            let phrase = Self.phrases[Int((state >> 33) % UInt64(Self.phrases.count))]
            state = state &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F
            for byte in phrase where tokens.count < settings.limit {
                tokens.append(Int32(byte) + 1)
                if try isDone(tokens) { return Array(repeating: tokens, count: count) }
            }
        }
        return Array(repeating: tokens, count: count)
    }

    private static func score(
        _ state: UInt64, _ token: Int32, into scores: inout CrossEntropy.Result
    ) {
        var mixed = state ^ UInt64(token) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 29) &* 0x94D0_49BB_1331_11EB
        scores.logProbabilities.append(-Double((mixed >> 40) % 4096 + 1) / 256)
        scores.isGreedy.append((mixed >> 20) % 4 != 0)
    }
}

/// Bytes are tokens 1 to 256; 0 stands for an empty context.
struct ByteTokenizer: Tokenizer {
    private final class Encoder: TokenEncoder {
        func encode(_ utf8: [UInt8], into ids: inout [Int32]) {
            ids += utf8.map { Int32($0) + 1 }
        }
    }

    var vocabularySize: Int { 257 }
    var specialTokenIDs: [Int32] { [0] }
    func isSpecial(_ id: Int32) -> Bool { id == 0 }
    func token(for id: Int32) -> String? { nil }
    func id(of token: String) -> Int32? { nil }
    func makeEncoder(recognisingSpecialTokens: Bool) -> any TokenEncoder { Encoder() }
    func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
        String(decoding: ids.compactMap { $0 > 0 ? UInt8($0 - 1) : nil }, as: UTF8.self)
    }
    func makeStreamingDecoder(skippingSpecialTokens: Bool) -> StreamingDecoder {
        StreamingDecoder(NothingDecoded())
    }

    private struct NothingDecoded: StreamingDecoderState {
        mutating func push(_ id: Int32) -> String { "" }
        mutating func finish() -> String { "" }
    }
}
