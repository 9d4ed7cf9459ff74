import Storage
import TestSupport
import Testing
import Tokenization

@Suite("Files beside tokenizer.json")
struct ConfiguredTokenizerTests {
    private let folder = TemporaryFolder()
    private var next: Int32 {
        get throws { Int32(try load("{}").tokenizer.vocabularySize) }
    }

    private func load(
        _ configuration: String, replacing old: String = "", with new: String = ""
    ) throws -> LoadedTokenizer {
        let text = String(decoding: Fixture.bytes("neox/tokenizer.json"), as: UTF8.self)
        let changed = old.isEmpty ? text : text.replacing(old, with: new)
        try #require(old.isEmpty || changed != text)
        folder.write(changed, to: "tokenizer.json")
        folder.write(configuration, to: "tokenizer_config.json")
        return try TokenizerLoader.load(at: folder.path)
    }

    // It was not read: "red" was tokenised without the space that transformers puts before it.
    @Test(
        "the classes of GPT-2 and GPT-NeoX go by the configuration's prefix space",
        arguments: [
            (#""tokenizer_class": "GPTNeoXTokenizer", "add_prefix_space": true"#, false, true),
            (#""tokenizer_class": "GPT2TokenizerFast", "add_prefix_space": true"#, false, true),
            (#""add_prefix_space": true"#, false, true),
            (#""tokenizer_class": "GPTNeoXTokenizerFast""#, true, false),
            (
                #""tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": true"#, false,
                false
            ),
            (#""tokenizer_class": "PreTrainedTokenizerFast""#, true, true),
        ])
    func prefixSpace(fields: String, own: Bool, expected: Bool) throws {
        let old = #""pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false"#
        let tokenizer = try load(
            "{\(fields)}", replacing: own ? old : "", with: old.replacing("false", with: "true")
        ).tokenizer
        #expect((tokenizer.encode("red") == tokenizer.encode(" red")) == expected)
    }

    @Test("tokens that only the configuration names are tokens")
    func addedTokens() throws {
        let next = try next
        let tokenizer = try load(
            #"""
            {"added_tokens_decoder": {"\#(next + 1)": {"content": "<two>", "special": true},
                                      "\#(next)": {"content": "<one>", "lstrip": true}},
             "additional_special_tokens": ["<three>", {"content": "<two>"}],
             "extra_special_tokens": {"four_token": "<four>"}, "sep_token": "!"}
            """#
        ).tokenizer
        let plain = try load("{}").tokenizer
        let ids = tokenizer.encode("a <one><three><two>b<four>")
        #expect(
            ids == plain.encode("a") + [next, next + 2, next + 1] + plain.encode("b") + [next + 3])
        #expect(tokenizer.isSpecial(next + 1) && !tokenizer.isSpecial(next))
        #expect(tokenizer.id(of: "!").map(tokenizer.isSpecial) == true)
        #expect(tokenizer.vocabularySize == Int(next) + 4)
        #expect(tokenizer.decode([next + 2]) == "<three>")
    }

    @Test("added_tokens.json counts where the configuration has no list")
    func legacyTokens() throws {
        let next = try next
        folder.write(#"{"<one>": \#(next)}"#, to: "added_tokens.json")
        folder.write(#"{"additional_special_tokens": ["<two>"]}"#, to: "special_tokens_map.json")
        let tokenizer = try load("{}").tokenizer
        #expect(tokenizer.encode("<two><one>") == [next + 1, next])
        #expect(!tokenizer.isSpecial(next) && tokenizer.isSpecial(next + 1))
    }

    @Test("an id that the library would not give is refused by the field")
    func wrongID() throws {
        let next = try next
        for (json, field) in [
            (#"{"added_tokens_decoder": {"\#(next + 5)": {"content": "<one>"}}}"#, "\(next + 5)"),
            (#"{"added_tokens_decoder": {"7": {"content": "<|endoftext|>"}}}"#, "7"),
        ] {
            let error = #expect(throws: TokenizerError.self) { try load(json) }
            #expect("\(error.map { "\($0)" } ?? "")".contains("'added_tokens_decoder.\(field)'"))
        }
    }

    // It was refused as a whole.
    @Test("a template's token begins texts where special tokens are added, and nowhere else")
    func template() throws {
        let loaded = try load(
            "{}", replacing: #""post_processor":{"type":"ByteLevel""#,
            with: #"""
                "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<|padding|>"}},{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"<|endoftext|>"}}],"special_tokens":{"<|padding|>":{"ids":[1]},"<|endoftext|>":{"ids":[0]}}},"x":{"type":"ByteLevel"
                """#)
        #expect(loaded.startID == 1)
        let plain = try load("{}")
        #expect(plain.startID == nil)
        #expect(loaded.tokenizer.encode("red") == plain.tokenizer.encode("red"))
    }
}
