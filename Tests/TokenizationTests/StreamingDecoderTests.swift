import TestSupport
import Testing
import Tokenization

@Suite("Streaming decoder")
struct StreamingDecoderTests {
    @Test(
        "pieces of random ids put together are the whole, invalid and unknown ids included",
        arguments: Fixture.byteLevel + Fixture.sentencePiece)
    func piecesPutTogetherAreTheWhole(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        var generator = SeededGenerator(seed: 3)
        let size = Int32(tokenizer.vocabularySize)
        var decoder = tokenizer.makeStreamingDecoder()
        for _ in 0..<400 {
            let ids = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                Int32.random(in: -2...(size + 2), using: &generator)
            }
            let pieces = ids.map { decoder.push($0) } + [decoder.finish()]
            #expect(areSame(pieces.joined(), tokenizer.decode(ids)), "\(ids)")
        }
    }

    @Test("half a character is never given out", arguments: ["neox", "llama", "unigram_bytes"])
    func halfACharacterIsNeverGivenOut(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let text = "x😀é日𞤀y"
        var decoder = tokenizer.makeStreamingDecoder()
        let pieces = tokenizer.encode(text).map { decoder.push($0) }
        #expect(pieces.count > 8)
        #expect(pieces.allSatisfy { !$0.contains("\u{FFFD}") })
        #expect(areSame(pieces.joined(), text))
        #expect(decoder.finish().isEmpty)
    }

    @Test("a character that is never completed is U+FFFD at the end")
    func aCharacterThatIsNeverCompletedIsReplaced() throws {
        let tokenizer = try Fixture.tokenizer("neox")
        let ids = tokenizer.encode("𞤀")
        #expect(ids.count > 1)
        var decoder = tokenizer.makeStreamingDecoder()
        #expect(decoder.push(ids[0]) == "")
        #expect(decoder.finish() == "\u{FFFD}")
        #expect(decoder.finish() == "")
    }
}
