import Testing
import Tokenization

@Suite("Tokenizers against the reference libraries")
struct ReferenceTests {
    @Test(
        "ids are those of the library, with one encoder for all texts and with a new one for each",
        arguments: Fixture.byteLevel + Fixture.sentencePiece)
    func idsAreThoseOfTheLibrary(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let encoder = tokenizer.makeEncoder()
        for (text, ids) in zip(try Fixture.corpus(), try Fixture.expected(name).ids) {
            #expect(encoder.encode(text) == ids, "\(text.debugDescription)")
            #expect(encoder.encode(text) == ids, "\(text.debugDescription), remembered")
            #expect(tokenizer.encode(Array(text.utf8)) == ids, "\(text.debugDescription)")
        }
    }

    @Test(
        "special tokens in untrusted text are text, as in the library",
        arguments: Fixture.byteLevel + Fixture.sentencePiece)
    func specialTokensInUntrustedTextAreText(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let expected = try Fixture.expected(name)
        for (index, text) in try Fixture.corpus().enumerated() {
            let ids = tokenizer.encode(text, recognisingSpecialTokens: false)
            #expect(ids == expected.untrusted[index] ?? expected.ids[index])
        }
    }

    @Test(
        "decoded text is that of the library, whole and streamed",
        arguments: Fixture.byteLevel + Fixture.sentencePiece)
    func decodedTextIsThatOfTheLibrary(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let expected = try Fixture.expected(name)
        for (index, text) in try Fixture.corpus().enumerated() {
            let ids = expected.ids[index]
            let decoded = expected.decoded[index] ?? text
            #expect(areSame(tokenizer.decode(ids), decoded), "\(ids)")
            #expect(areSame(stream(ids, tokenizer, skipping: false), decoded), "\(ids)")
        }
        for row in expected.random {
            #expect(areSame(tokenizer.decode(row.ids), row.decoded), "\(row.ids)")
            let skipped = tokenizer.decode(row.ids, skippingSpecialTokens: true)
            #expect(areSame(skipped, row.skipped), "\(row.ids)")
            #expect(areSame(stream(row.ids, tokenizer, skipping: false), row.decoded))
            #expect(areSame(stream(row.ids, tokenizer, skipping: true), row.skipped))
        }
    }

    private func stream(_ ids: [Int32], _ tokenizer: any Tokenizer, skipping: Bool) -> String {
        var decoder = tokenizer.makeStreamingDecoder(skippingSpecialTokens: skipping)
        return ids.map { decoder.push($0) }.joined() + decoder.finish()
    }
}
