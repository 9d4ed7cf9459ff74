import Storage
import TestSupport
import Testing

@testable import Tokenization

@Suite("Tokenizer files that are wrong")
struct TokenizerErrorTests {
    /// A change to a good file, and the field that the error must name.
    struct Change: CustomTestStringConvertible {
        let old: String
        let new: String
        let field: String
        var testDescription: String { "\(field): \(new)" }

        static let unsupported = [
            Change(old: #""type":"BPE""#, new: #""type":"WordPiece""#, field: "model.type"),
            Change(old: #""type":"BPE""#, new: #""type":"Unigram""#, field: "model.type"),
            Change(old: #""dropout":null"#, new: #""dropout":0.1"#, field: "model.dropout"),
            Change(
                old: #""byte_fallback":false"#, new: #""byte_fallback":true"#,
                field: "model.byte_fallback"),
            Change(
                old: #""end_of_word_suffix":null"#, new: #""end_of_word_suffix":"</w>""#,
                field: "model.end_of_word_suffix"),
            Change(old: #""type":"NFC""#, new: #""type":"NFKC""#, field: "normalizer"),
            Change(
                old: #""pre_tokenizer":{"type":"ByteLevel","#,
                new: #""pre_tokenizer":null,"x":{"#, field: "pre_tokenizer"),
            Change(
                old: #""pre_tokenizer":{"type":"ByteLevel""#,
                new: #""pre_tokenizer":{"type":"Metaspace""#, field: "pre_tokenizer"),
            Change(
                old: #""decoder":{"type":"ByteLevel""#, new: #""decoder":{"type":"Fuse""#,
                field: "decoder"),
            Change(
                old: #""post_processor":{"type":"ByteLevel""#,
                new: #""post_processor":{"type":"BertProcessing""#, field: "post_processor"),
            Change(old: #""version":"1.0""#, new: #""version":"2.0""#, field: "version"),
        ]
    }

    private func text() -> String {
        String(decoding: Fixture.bytes("neox/tokenizer.json"), as: UTF8.self)
    }

    @Test("ids and added tokens have limits")
    func limits() {
        let text = text()
        func field(of text: String) -> String? {
            let error = #expect(throws: TokenizerError.self) {
                try BytePairTokenizer(parsing: Array(text.utf8), file: "tokenizer.json")
            }
            guard case .invalid(_, let field, _, _) = error else { return nil }
            return field
        }
        let vocabulary = text.replacing(
            "\"vocab\":{", with: "\"vocab\":{\"far\":524288,", maxReplacements: 1)
        #expect(field(of: vocabulary) == "model.vocab.far")
        let many = String(repeating: "{},", count: AddedToken.limit)
        let added = text.replacing(
            "\"added_tokens\":[", with: "\"added_tokens\":[" + many, maxReplacements: 1)
        #expect(field(of: added) == "added_tokens")
    }

    @Test("what is not supported is named", arguments: Change.unsupported)
    func whatIsNotSupportedIsNamed(change: Change) throws {
        let text = text()
        let changed = text.replacing(change.old, with: change.new, maxReplacements: 1)
        try #require(changed != text)
        let error = #expect(throws: TokenizerError.self) {
            try BytePairTokenizer(parsing: Array(changed.utf8), file: "tokenizer.json")
        }
        guard case .unsupported("tokenizer.json", change.field, _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("a template that adds two tokens before a text is refused")
    func aTemplateThatAddsTwoTokensIsRefused() throws {
        let template = #"""
            "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"SpecialToken":{"id":"<s>"}}],"special_tokens":{"<s>":{"ids":[0]}}},"x":{"type":"ByteLevel"
            """#
        let changed = text().replacing(
            #""post_processor":{"type":"ByteLevel""#, with: template, maxReplacements: 1)
        #expect(
            throws: TokenizerError.unsupported(
                file: "f", field: "post_processor", found: "TemplateProcessing that adds '<s>'",
                supported: "one that adds one token before and one after a text")
        ) { try BytePairTokenizer(parsing: Array(changed.utf8), file: "f") }
    }

    @Test(
        "ids and merges that do not fit are refused, and the error names the field",
        arguments: [
            (#""!":2"#, #""!":-1"#, "model.vocab.!"),
            (#""!":2"#, #""!":4294967296"#, "model.vocab.!"),
            (#""!":2"#, #""!":1e9"#, "model.vocab.!"), (#""!":2"#, #""!":2.5"#, "model.vocab.!"),
            (#""!":2"#, #""!":"2""#, "model.vocab.!"), (#""!":2"#, #""!":3"#, #"model.vocab.""#),
            (#""id":600,"#, #""id":601,"#, "added_tokens[2].id"),
            (#""id":0,"#, #""id":1,"#, "added_tokens[0].id"),
            (#""id":600,"#, "", "added_tokens[2].id"),
            (#""merges":[["#, #""merges":[["no such","token"],["#, "model.merges[0]"),
            (#""merges":[["#, #""merges":[[],["#, "model.merges[0]"),
            (#""merges":[["#, #""merges":["a b c",["#, "model.merges[0]"),
            (#""merges":"#, #""merge":"#, "model.merges"),
            (#""vocab":"#, #""vocabulary":"#, "model.vocab"),
        ])
    func idsAndMergesThatDoNotFitAreRefused(old: String, new: String, field: String) throws {
        let text = text()
        let changed = text.replacing(old, with: new, maxReplacements: 1)
        try #require(changed != text)
        let error = #expect(throws: (any Error).self) {
            try BytePairTokenizer(parsing: Array(changed.utf8), file: "tokenizer.json")
        }
        let sentence = error.map { "\($0)" } ?? ""
        #expect(sentence.hasPrefix("tokenizer.json: field '\(field)' "), "\(sentence)")
    }

    @Test("a token that stands twice in the vocabulary is refused")
    func aTokenThatStandsTwiceIsRefused() {
        let changed = text().replacing(#""!":2"#, with: #""!":2,"!":700"#, maxReplacements: 1)
        let error = #expect(throws: JSONError.self) {
            try BytePairTokenizer(parsing: Array(changed.utf8), file: "tokenizer.json")
        }
        guard case .syntax("tokenizer.json", _, _, fault: .duplicateKey("!")) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("a truncated tokenizer.json is an error at every length")
    func aTruncatedFileIsAnError() throws {
        let bytes = Fixture.bytes("neox/tokenizer.json")
        for length in stride(from: 0, to: bytes.count - 2, by: 997) {
            #expect(throws: JSONError.self) {
                try BytePairTokenizer(parsing: Array(bytes[..<length]), file: "tokenizer.json")
            }
        }
    }

    @Test("a damaged tokenizer.json is read or refused, and what is read encodes and decodes")
    func aDamagedFileIsReadOrRefused() throws {
        let bytes = Fixture.bytes("flags/tokenizer.json")
        let text = try Fixture.corpus().joined()
        var generator = SeededGenerator(seed: 17)
        var refused = 0
        for _ in 0..<300 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                // Most of the structure is in the first bytes.
                let limit = Bool.random(using: &generator) ? 4500 : damaged.count
                damaged[Int.random(in: 0..<limit, using: &generator)] =
                    Array("0129\"{}[],:aeu\\tfn \u{1}\u{80}".utf8).randomElement(using: &generator)
                    ?? 0
            }
            do {
                let tokenizer = try BytePairTokenizer(parsing: damaged, file: "tokenizer.json")
                _ = tokenizer.decode(tokenizer.encode(text))
            } catch {
                #expect(error is TokenizerError || error is JSONError)
                refused += 1
            }
        }
        #expect(refused > 50)
    }

    @Test("deep nesting, lone surrogates and loose syntax are malformed JSON")
    func looseJSONIsMalformed() {
        let texts = [
            "", "[", "{", "nul", "01", "1.", "+1", ".5", "1e999", "[1,]", "{\"a\":1,}", "{a:1}",
            "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\x\"", "\"a", "\"\u{1}\"",
            "1 2", String(repeating: "[", count: 100_000), "-", "\"\\u12\"", "'a'",
        ]
        for text in texts {
            let error = #expect(throws: JSONError.self, "\(text.prefix(20))") {
                try BytePairTokenizer(parsing: Array(text.utf8), file: "f")
            }
            guard case .syntax = error else {
                Issue.record("\(text.prefix(20)): \(String(describing: error))")
                continue
            }
        }
        #expect(
            throws: JSONError.syntax(
                file: "f", line: 3, column: 1,
                fault: .unexpected(found: "'}'", expected: "a key in quotes"))
        ) { try BytePairTokenizer(parsing: Array("{\n\"a\": 1,\n}".utf8), file: "f") }
    }

    @Test("a surrogate pair is one scalar, and canonically equal tokens are two")
    func surrogatePairsAndKeys() throws {
        let json = #"{"vocab": {"\ud83d\ude00": 1, "\u00e9": 2, "e\u0301": 3}, "merges": []}"#
        let model = try BytePairModel(
            reading: JSONFields(JSONValue(parsing: json, file: "f"), file: "f"))
        let tokens = ["\u{1F600}", "\u{E9}", "e\u{301}"]
        #expect(tokens.map { model.vocabulary.id(Array($0.utf8)) } == [1, 2, 3])
        #expect((1...3).map { model.vocabulary.token($0)?.count } == [4, 2, 3])
    }

    @Test("a truncated or empty SentencePiece model is an error")
    func aTruncatedModelIsAnError() throws {
        let bytes = Fixture.bytes("llama.model")
        for length in [0, 1, 10, bytes.count / 2, bytes.count - 1] {
            #expect(throws: TokenizerError.self) {
                try SentencePieceTokenizer(parsing: Array(bytes[..<length]), file: "m.model")
            }
        }
    }

    @Test(
        "a control piece that segmenting a text can come upon is an error", arguments: ["e", "▁"])
    func aControlPieceOfTextIsAnError(_ name: String) {
        func piece(_ text: String, kind: UInt8) -> [UInt8] {
            let content =
                [0x0A, UInt8(text.utf8.count)] + text.utf8 + [0x15, 0, 0, 0, 0, 0x18, kind]
            return [0x0A, UInt8(content.count)] + content
        }
        func read(_ control: String) throws -> SentencePieceTokenizer {
            let pieces: [[UInt8]] = [
                piece("<unk>", kind: 2), piece(control, kind: 3), piece("▁", kind: 1),
                piece("n", kind: 1),
            ]
            return try SentencePieceTokenizer(parsing: Array(pieces.joined()), file: "m.model")
        }
        let expected = "control piece 1 is '\(name)', which is in ordinary text"
        do {
            _ = try read(name)
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains(expected), "\(error)")
        }
        #expect(throws: Never.self) { try read("<s>").encode("nene") }
    }

    @Test("a normaliser's table that leads outside itself is found")
    func aTableThatLeadsOutsideItselfIsFound() {
        // One block of 256 units: the root's children lie in it; unit 97 is a value at 0.
        var units = [UInt32](repeating: 0, count: 256)
        units[97] = 1 << 31
        func isSound(_ units: [UInt32], _ replacements: [UInt8]) -> Bool {
            let words = [UInt32(units.count * 4)] + units
            let bytes = words.flatMap { word in (0..<4).map { UInt8(word >> ($0 * 8) & 0xFF) } }
            let table = bytes + replacements
            return CharacterMap.isSound(table, in: table.indices)
        }
        #expect(isSound(units, [0x62, 0]))
        #expect(!isSound(units, [0x62]))
        #expect(!isSound(units, []))
        var beyond = units
        beyond[5] = 256 << 10
        #expect(!isSound(beyond, [0x62, 0]))
        var value = units
        value[97] = 1 << 31 | 2
        #expect(!isSound(value, [0x62, 0]))
        #expect(CharacterMap.isSound([], in: 0..<0))
        #expect(!CharacterMap.isSound([0xFF, 0xFF, 0xFF, 0xFF, 0], in: 0..<5))
    }

    @Test("every error is one sentence that begins with the file")
    func sentences() {
        let field = "model.type"
        #expect(
            TokenizerError.unsupported(
                file: "tokenizer.json", field: field, found: "WordPiece", supported: "BPE"
            ).description
                == "tokenizer.json: field 'model.type' is WordPiece, which is not supported; supported is BPE"
        )
        #expect(
            TokenizerError.missing(paths: ["a/tokenizer.json", "a/tokenizer.model"]).description
                == "no tokenizer found, expected one of 'a/tokenizer.json', 'a/tokenizer.model'; copy it there "
                + "from where the model is from (state-spaces' models use EleutherAI/gpt-neox-20b's)"
        )
    }
}
