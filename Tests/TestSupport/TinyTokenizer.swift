import Storage
@testable import Tokenization

/// A byte-level tokenizer of 256 bytes, a few merges and one special token, id 0.
public enum TinyTokenizer {
    /// The text of the special token, which is bos and eos.
    public static let end = "<|endoftext|>"

    /// Makes the tokenizer.
    ///
    /// - Parameters:
    ///   - merges: Pairs of tokens as the vocabulary writes them.
    ///   - chatTemplate: The source of the chat template, if there is to be one.
    ///   - addsStart: Whether a text begins with the special token.
    /// - Returns: The tokenizer.
    /// - Throws: What is wrong with the merges.
    public static func make(
        merges: [(String, String)] = [("t", "h"), (":", ":")], chatTemplate: String? = nil,
        addsStart: Bool = false
    ) throws -> LoadedTokenizer {
        let tokenizer = try BytePairTokenizer(
            parsing: JSONWriter().bytes(file(merges: merges)), file: "tokenizer.json")
        var configuration = TokenizerConfiguration()
        configuration.bosToken = end
        configuration.eosToken = end
        configuration.addsBOSToken = addsStart
        if let chatTemplate {
            configuration.chatTemplates = [.init(name: "default", source: chatTemplate)]
        }
        return try LoadedTokenizer(
            tokenizer: tokenizer, configuration: configuration, file: "tokenizer_config.json")
    }

    /// Writes the tokenizer's files, as a model's folder has them.
    ///
    /// - Parameter folder: An existing folder.
    /// - Throws: `FileError`.
    public static func write(to folder: String) throws {
        try AtomicFile.write(
            JSONWriter().string(file(merges: [("t", "h"), (":", ":")])),
            to: "\(folder)/tokenizer.json")
        try AtomicFile.write(
            JSONWriter().string(["bos_token": .string(end), "eos_token": .string(end)]),
            to: "\(folder)/tokenizer_config.json")
    }

    /// What `tokenizer.json` holds.
    private static func file(merges: [(String, String)]) -> Storage.JSONValue {
        let pieces = (0..<256).map(letter) + merges.map { $0 + $1 }
        let vocabulary = JSONObject(
            [(end, .integer(0))] + pieces.enumerated().map { ($1, .integer($0 + 1)) })
        let byteLevel: JSONObject = [
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": true,
        ]
        let special: JSONObject = [
            "id": 0, "content": .string(end), "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true,
        ]
        return [
            "version": "1.0", "truncation": nil, "padding": nil,
            "added_tokens": [.object(special)], "normalizer": nil,
            "pre_tokenizer": .object(byteLevel), "post_processor": nil,
            "decoder": .object(byteLevel),
            "model": [
                "type": "BPE", "dropout": nil, "unk_token": nil,
                "continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": false,
                "vocab": .object(vocabulary),
                "merges": .array(merges.map { .string("\($0) \($1)") }),
            ],
        ]
    }

    /// The id of an ASCII letter.
    public static func id(_ scalar: Unicode.Scalar) -> Int32 { Int32(scalar.value) + 1 }

    /// How byte-level vocabularies write a byte.
    private static func letter(_ byte: Int) -> String {
        let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174
        if isPrintable { return String(UnicodeScalar(UInt8(byte))) }
        let before = (0..<byte).count {
            !((33...126).contains($0) || (161...172).contains($0) || $0 >= 174)
        }
        return UnicodeScalar(UInt32(256 + before)).map { String($0) } ?? ""
    }
}
