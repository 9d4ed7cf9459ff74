import Storage
import Tokenization

/// The small files of a model's folder that a copy of the model needs too.
public enum ModelCompanions {
    /// Those that a tokenizer is read from.
    public static let tokenizerNames =
        TokenizerLoader.names + [
            "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
            "chat_template.jinja",
        ]

    /// All of them.
    public static let names = tokenizerNames + ["generation_config.json"]

    /// Reads those that are there.
    ///
    /// - Parameter folder: The model's folder.
    /// - Returns: Names and contents.
    /// - Throws: `FileError` if one cannot be read.
    public static func read(folder: String) throws -> [(name: String, content: [UInt8])] {
        try names.filter { FilePath.exists("\(folder)/\($0)") }.map { name in
            (name, try ByteStream.contents(of: "\(folder)/\(name)", limit: 1 << 28))
        }
    }
}
