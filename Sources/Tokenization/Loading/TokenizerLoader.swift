import Storage

/// Finds and reads the files of a tokenizer.
public enum TokenizerLoader {
    /// The names that a folder's tokenizer may have, the preferred one first.
    public static let names = ["tokenizer.json", "tokenizer.model", "spiece.model"]
    /// The largest file, in bytes; those of 256,000 tokens have 33 million.
    private static let fileLimit = 128 << 20

    /// Loads a tokenizer.
    ///
    /// - Parameter path: A folder with one of ``names``, or such a file, `.json` or `.model`. The
    ///   configuration is read from the same folder.
    /// - Returns: The tokenizer and its configuration.
    /// - Throws: ``TokenizerError``, `JSONError` or `FileError`; if nothing is found, the error
    ///   names every path looked for.
    public static func load(at path: String) throws -> LoadedTokenizer {
        let file = try locate(path)
        let folder = FilePath.folder(of: file)
        let bytes = try ByteStream.contents(of: file, limit: fileLimit)
        let configuration = try TokenizerConfiguration(folder: folder)
        let configurationFile = FilePath.join(folder, TokenizerConfiguration.fileName)
        let tokenizer: any Tokenizer
        if file.hasSuffix(".json") {
            tokenizer = try BytePairTokenizer(
                parsing: bytes, file: file, configuration: configuration,
                configurationFile: configurationFile)
        } else {
            tokenizer = try SentencePieceTokenizer(parsing: bytes, file: file)
            try configuration.checkTokens(of: tokenizer, file: configurationFile)
        }
        return try LoadedTokenizer(
            tokenizer: tokenizer, configuration: configuration, file: configurationFile)
    }

    /// The tokenizer's file.
    private static func locate(_ path: String) throws -> String {
        guard FilePath.exists(path) else { throw TokenizerError.missing(paths: [path]) }
        if FilePath.isFolder(path) {
            let candidates = names.map { FilePath.join(path, $0) }
            guard let file = candidates.first(where: FilePath.isFile) else {
                throw TokenizerError.missing(paths: candidates)
            }
            return file
        }
        guard path.hasSuffix(".json") || path.hasSuffix(".model") else {
            throw TokenizerError.unsupported(
                file: path, field: "name", found: quoted(FilePath.name(of: path)),
                supported: "a folder, a '.json' or a '.model' file")
        }
        return path
    }
}
