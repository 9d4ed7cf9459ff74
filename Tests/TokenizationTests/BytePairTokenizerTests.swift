import TestSupport
import Testing

@testable import Tokenization

@Suite("Byte pair tokenizer")
struct BytePairTokenizerTests {
    @Test("a long piece joined by the heap equals the plain scan")
    func heapEqualsScan() throws {
        let tokenizer = try #require(try Fixture.tokenizer("whole") as? BytePairTokenizer)
        var generator = SeededGenerator(seed: 5)
        for length in [65, 66, 200, 1000] {
            let text = (0..<length).map { _ in
                Array("theandr ".utf8)[Int.random(in: 0..<8, using: &generator)]
            }
            var ids: [Int32] = []
            tokenizer.model.encode(text.span, in: text.indices, into: &ids)
            #expect(ids == plainScan(text, tokenizer.model))
        }
    }

    @Test("megabytes without a space take seconds, not hours")
    func longPiecesAreNotQuadratic() throws {
        let tokenizer = try Fixture.tokenizer("neox")
        var generator = SeededGenerator(seed: 9)
        let random = (0..<2_000_000).map { _ in UInt8.random(in: 97...122, using: &generator) }
        let texts = [
            [UInt8](repeating: 97, count: 2_000_000), [UInt8](repeating: 32, count: 2_000_000),
            random, Array(String(repeating: "\u{316}\u{301}", count: 300_000).utf8),
        ]
        let elapsed = ContinuousClock().measure {
            for text in texts { #expect(!tokenizer.encode(text).isEmpty) }
        }
        // About 1 s alone on one core; a quadratic step would need hours.
        #expect(elapsed < .seconds(60))
    }

    @Test("bytes that are not UTF-8 count as U+FFFD")
    func invalidBytesAreReplaced() throws {
        let tokenizer = try Fixture.tokenizer("neox")
        let bytes: [UInt8] = [0x61, 0xFF, 0xE2, 0x82, 0x62, 0xED, 0xA0, 0x80, 0xC0]
        #expect(tokenizer.encode(bytes) == tokenizer.encode(String(decoding: bytes, as: UTF8.self)))
    }

    @Test("a full cache begins anew and changes no id")
    func aFullCacheChangesNoID() throws {
        let tokenizer = try Fixture.tokenizer("neox")
        let encoder = tokenizer.makeEncoder()
        for number in 0..<40_000 { _ = encoder.encode(" \(number)") }
        for text in try Fixture.corpus() {
            #expect(encoder.encode(text) == tokenizer.encode(text))
        }
    }

    @Test("tokens are found by their bytes, and ids outside the vocabulary have none")
    func tokensAreFoundByTheirBytes() throws {
        let tokenizer = try Fixture.tokenizer("flags")
        let id = try #require(tokenizer.id(of: "[N\u{301}]"))
        #expect(tokenizer.id(of: "[\u{143}]") == nil)
        #expect(tokenizer.token(for: id) == "[N\u{301}]")
        #expect(tokenizer.token(for: -1) == nil)
        #expect(tokenizer.token(for: Int32(tokenizer.vocabularySize)) == nil)
        #expect(tokenizer.decode([-1, Int32.max]).isEmpty)
        let special = tokenizer.specialTokenIDs.compactMap(tokenizer.token(for:))
        #expect(special == ["<|endoftext|>", "<|padding|>", "[LR]"])
    }

    private func plainScan(_ text: [UInt8], _ model: BytePairModel) -> [Int32] {
        var symbols = text.map { model.byteSymbols[Int($0)] }
        while true {
            let pairs = zip(symbols, symbols.dropFirst()).map { model.merges.merge($0, $1) }
            guard let best = pairs.enumerated().min(by: { $0.element.rank < $1.element.rank }),
                best.element.rank != Int32.max
            else { return symbols }
            symbols.replaceSubrange(best.offset...(best.offset + 1), with: [best.element.joined])
        }
    }
}
