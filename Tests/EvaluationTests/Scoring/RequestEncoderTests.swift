import Testing

@testable import Evaluation
@testable import Tokenization

@Suite("Encoding of requests")
struct RequestEncoderTests {
    /// Words are tokens, known by the order in which they are listed; blanks go with the word after
    /// them, and what is not listed is one token with all that follows.
    private struct WordTokenizer: Tokenizer {
        static let words = ["<s>", "</s>", "a", " a", "b", " b", "ab", " ", "\n"]

        private final class Encoder: TokenEncoder {
            func encode(_ utf8: [UInt8], into ids: inout [Int32]) {
                var rest = utf8[...]
                while !rest.isEmpty {
                    let word = words.indices.filter { rest.starts(with: words[$0].utf8) }.max {
                        words[$0].utf8.count < words[$1].utf8.count
                    }
                    ids.append(Int32(word ?? words.count))
                    rest = word.map { rest.dropFirst(words[$0].utf8.count) } ?? []
                }
            }
        }

        var vocabularySize: Int { Self.words.count + 1 }
        var specialTokenIDs: [Int32] { [0, 1] }
        func isSpecial(_ id: Int32) -> Bool { id < 2 }
        func token(for id: Int32) -> String? { Self.words[Int(id)] }
        func id(of token: String) -> Int32? { Self.words.firstIndex(of: token).map { Int32($0) } }
        func makeEncoder(recognisingSpecialTokens: Bool) -> any TokenEncoder { Encoder() }
        func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
            ids.filter { !skippingSpecialTokens || !isSpecial($0) }.map { Self.words[Int($0)] }
                .joined()
        }
        func makeStreamingDecoder(skippingSpecialTokens: Bool) -> StreamingDecoder {
            preconditionFailure("nothing is streamed")
        }
    }

    /// A request as text and as ids.
    struct Case: CustomTestStringConvertible {
        let context, continuation: String
        let ids, more: [Int32]
        var testDescription: String { "\(context)|\(continuation)" }
    }

    private func encoded(_ item: Case, startToken: Int32?) -> ScoringRequest {
        var encoder = RequestEncoder(
            tokenizer: WordTokenizer(), prefixToken: 0, startToken: startToken)
        return encoder.encode(context: item.context, continuation: item.continuation)
    }

    @Test(
        "contexts and continuations are split as the harness splits them",
        arguments: [
            Case(context: "a b", continuation: " a", ids: [2, 5], more: [3]),
            Case(context: "a  ", continuation: "b", ids: [2], more: [7, 5]),
            Case(context: "a \n", continuation: "b", ids: [2], more: [7, 8, 4]),
            // Where a merge crosses the joint, the context's own length counts.
            Case(context: "a", continuation: "b b", ids: [2], more: [5]),
            Case(context: "", continuation: "a b", ids: [0], more: [2, 5]),
            Case(context: " \n", continuation: "a", ids: [0], more: [7, 8, 2]),
            Case(context: "", continuation: "<s>a", ids: [0], more: [2]),
            Case(context: "", continuation: "<s>", ids: [0], more: [0]),
        ])
    func requestsAreSplit(item: Case) {
        let found = encoded(item, startToken: nil)
        #expect(found == ScoringRequest(context: item.ids, continuation: item.more))
    }

    @Test(
        "a bos comes before every text that has a context and does not begin with one",
        arguments: [
            Case(context: "a b", continuation: " a", ids: [0, 2, 5], more: [3]),
            Case(context: "a ", continuation: "b", ids: [0, 2], more: [5]),
            Case(context: "a", continuation: "b b", ids: [0, 2], more: [5]),
            Case(context: "<s>a", continuation: " b", ids: [0, 2], more: [5]),
            Case(context: "</s>a", continuation: " b", ids: [0, 1, 2], more: [5]),
            Case(context: "", continuation: "a", ids: [0], more: [2]),
        ])
    func textsBeginWithBOS(item: Case) {
        let found = encoded(item, startToken: 0)
        #expect(found == ScoringRequest(context: item.ids, continuation: item.more))
    }

    @Test("whole texts get a bos, too")
    func wholeTextsBeginWithBOS() {
        let encoder = RequestEncoder(tokenizer: WordTokenizer(), prefixToken: 0, startToken: 0)
        #expect(encoder.encode("a b") == [0, 2, 5])
        #expect(encoder.encode("<s>a") == [0, 2])
        #expect(RequestEncoder(tokenizer: WordTokenizer(), prefixToken: 0).encode("a b") == [2, 5])
    }

    @Test("a tokenizer's files say what stands for an empty context, and whether there is a bos")
    func filesSayWhatComesFirst() throws {
        var configuration = TokenizerConfiguration()
        func encoder(prefix: Int32? = nil) throws -> RequestEncoder {
            RequestEncoder(
                try LoadedTokenizer(
                    tokenizer: WordTokenizer(), configuration: configuration, file: "t"),
                prefixToken: prefix, end: 8)
        }
        #expect(try encoder().prefixToken == 8)
        configuration.eosToken = "</s>"
        #expect(try encoder().prefixToken == 1)
        configuration.bosToken = "<s>"
        #expect(try encoder().prefixToken == 0)
        #expect(try encoder(prefix: 5).prefixToken == 5)
        #expect(try encoder().encode("a") == [2])
        configuration.addsBOSToken = true
        #expect(try encoder().encode("a") == [0, 2])
        // It is the prefix token's text that keeps the bos away.
        #expect(try encoder(prefix: 1).encode("<s>a") == [0, 0, 2])
    }

    @Test("choices share their context's ids, whatever was encoded in between")
    func contextsAreRemembered() {
        var encoder = RequestEncoder(tokenizer: WordTokenizer(), prefixToken: 0)
        let requests = ["a b", "a b", "b", "", "a b "].map {
            encoder.encode(context: $0, continuation: " a")
        }
        #expect(requests.map(\.context) == [[2, 5], [2, 5], [4], [0], [2, 5]])
        #expect(requests.map(\.continuation) == [[3], [3], [3], [3], [7, 3]])
    }
}
