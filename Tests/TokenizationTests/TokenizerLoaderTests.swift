import FoundationEssentials
import Testing
import Tokenization

@Suite("Tokenizer loader")
struct TokenizerLoaderTests {
    /// A folder of its own with some files, removed afterwards.
    private func withFolder(_ files: [String: [UInt8]], _ body: (String) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "mtl-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        for (name, bytes) in files { try Data(bytes).write(to: url.appending(path: name)) }
        try body(url.path(percentEncoded: false))
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
            "tokenizer.json": try Fixture.bytes("neox/tokenizer.json"),
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
            "tokenizer.json": try Fixture.bytes("neox/tokenizer.json"),
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
        try withFolder(["tokenizer.model": try Fixture.bytes("unigram.model")]) { folder in
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
            "tokenizer.json": try Fixture.bytes("neox/tokenizer.json"),
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
}
