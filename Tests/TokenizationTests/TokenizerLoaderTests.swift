import Storage
import TestSupport
import Testing
import Tokenization

@Suite("Tokenizer loader")
struct TokenizerLoaderTests {
    private func withFolder(_ files: [String: [UInt8]], _ body: (String) throws -> Void) throws {
        let folder = TemporaryFolder()
        for (name, bytes) in files { folder.write(bytes, to: name) }
        try body(folder.path)
    }

    @Test("tokens, length and templates are read and resolved")
    func tokensLengthAndTemplatesAreRead() throws {
        let configuration = #"""
            {"tokenizer_class": "Whatever", "bos_token": {"content": "<|endoftext|>", "lstrip": false},
             "eos_token": "<|endoftext|>", "pad_token": null, "model_max_length": 1e30,
             "add_bos_token": true, "chat_template": [{"name": "default", "template": "A"},
             {"name": "tool_use", "template": "B"}]}
            """#
        let files = [
            "tokenizer.json": Fixture.bytes("neox/tokenizer.json"),
            "tokenizer_config.json": Array(configuration.utf8),
            "special_tokens_map.json": Array(#"{"pad_token": "<|padding|>"}"#.utf8),
        ]
        try withFolder(files) { folder in
            for path in [folder, folder + "/", folder + "/tokenizer.json"] {
                let loaded = try TokenizerLoader.load(at: path)
                #expect(loaded.bosID == 0 && loaded.eosID == 0 && loaded.padID == 1)
                #expect(loaded.unknownID == nil)
                #expect(loaded.configuration.modelMaxLength == nil)
                #expect(loaded.configuration.addsBOSToken && !loaded.configuration.addsEOSToken)
                #expect(loaded.configuration.chatTemplate == "A")
                #expect(loaded.configuration.chatTemplates.map(\.name) == ["default", "tool_use"])
            }
        }
    }

    @Test("chat_template.jinja is the default template")
    func aTemplateFileIsTheDefault() throws {
        let files = [
            "tokenizer.json": Fixture.bytes("neox/tokenizer.json"),
            "tokenizer_config.json": Array(
                #"{"chat_template": "old", "model_max_length": 2048}"#.utf8),
            "chat_template.jinja": Array("new".utf8),
        ]
        try withFolder(files) { folder in
            let loaded = try TokenizerLoader.load(at: folder)
            #expect(loaded.configuration.chatTemplates.map(\.source) == ["new"])
            #expect(loaded.configuration.modelMaxLength == 2048)
        }
    }

    @Test("a SentencePiece model names its own special pieces")
    func aModelNamesItsOwnPieces() throws {
        try withFolder(["tokenizer.model": Fixture.bytes("unigram.model")]) { folder in
            let loaded = try TokenizerLoader.load(at: folder)
            #expect(loaded.unknownID == 0 && loaded.bosID == 1)
            #expect(loaded.eosID == 2 && loaded.padID == 3)
            #expect(loaded.tokenizer.token(for: 2) == "</s>")
            #expect(loaded.tokenizer.specialTokenIDs == [0, 1, 2, 3])
        }
    }

    @Test("a token that is in no vocabulary is an error")
    func aTokenInNoVocabularyIsAnError() throws {
        let files = [
            "tokenizer.json": Fixture.bytes("neox/tokenizer.json"),
            "tokenizer_config.json": Array(#"{"eos_token": "<|nowhere|>"}"#.utf8),
        ]
        try withFolder(files) { folder in
            #expect(
                throws: TokenizerError.unknownToken(
                    file: folder + "/tokenizer_config.json", field: "eos_token",
                    token: "<|nowhere|>")
            ) { try TokenizerLoader.load(at: folder) }
        }
    }

    @Test("what is missing is named with every path looked for")
    func whatIsMissingIsNamed() throws {
        try withFolder([:]) { folder in
            let paths = TokenizerLoader.names.map { "\(folder)/\($0)" }
            #expect(throws: TokenizerError.missing(paths: paths)) {
                try TokenizerLoader.load(at: folder)
            }
            #expect(throws: TokenizerError.missing(paths: ["\(folder)/x.json"])) {
                try TokenizerLoader.load(at: "\(folder)/x.json")
            }
        }
    }

    @Test("a file of the wrong kind is refused, and the error names file and field")
    func aFileOfTheWrongKindIsRefused() throws {
        func refusal(_ name: String, _ content: [UInt8]) throws -> any Error {
            let folder = TemporaryFolder()
            folder.write(Fixture.bytes("neox/tokenizer.json"), to: "tokenizer.json")
            let path = folder.write(content, to: name)
            let error = #expect(throws: (any Error).self) {
                try TokenizerLoader.load(at: folder.path)
            }
            let thrown = try #require(error)
            #expect("\(thrown)".hasPrefix(path), "\(thrown)")
            return thrown
        }
        let name = "tokenizer_config.json"
        for (json, field) in [
            (#"{"bos_token": 1}"#, "bos_token"), (#"{"eos_token": {}}"#, "eos_token.content"),
            (#"{"add_bos_token": "yes"}"#, "add_bos_token"),
            (#"{"model_max_length": 0}"#, "model_max_length"),
            (#"{"model_max_length": 2.5}"#, "model_max_length"),
            (#"{"chat_template": [{"name": "a"}]}"#, "chat_template[0].template"),
        ] {
            let error = try refusal(name, Array(json.utf8))
            #expect("\(error)".contains(": field '\(field)' is "), "\(error)")
        }
        #expect(try refusal(name, Array("{".utf8)) is JSONError)
        let error = try refusal("chat_template.jinja", [0x61, 0x0A, 0x62, 0xFF])
        guard case FileError.notUTF8(_, line: 2, byte: 2) = error else {
            Issue.record(error)
            return
        }
    }
}
