/// A tokenizer with what its files say around it.
public struct LoadedTokenizer: Sendable {
    /// The tokenizer.
    public let tokenizer: any Tokenizer
    /// What the files beside it say.
    public let configuration: TokenizerConfiguration
    /// The id of the token before a text; nil if the files name none.
    public let bosID: Int32?
    /// The id of the token after a text.
    public let eosID: Int32?
    /// The id of the token that fills a batch; often the same as ``eosID``.
    public let padID: Int32?
    /// The id of the token for what the vocabulary lacks.
    public let unknownID: Int32?
    /// The id that a text begins with where special tokens are added; nil for none.
    ///
    /// The token of `tokenizer.json`'s template, else the bos where the configuration says so.
    public let startID: Int32?

    /// Looks up the tokens of a configuration.
    ///
    /// - Parameters:
    ///   - tokenizer: The tokenizer.
    ///   - configuration: What the files say; a SentencePiece model's own special pieces stand in
    ///     for what they do not.
    ///   - file: The name that errors give.
    /// - Throws: ``TokenizerError/unknownToken(file:field:token:)``.
    public init(
        tokenizer: any Tokenizer, configuration: TokenizerConfiguration, file: String
    ) throws {
        func id(_ field: String, _ token: String?) throws -> Int32? {
            guard let token else { return nil }
            guard let id = tokenizer.id(of: token) else {
                throw TokenizerError.unknownToken(file: file, field: field, token: token)
            }
            return id
        }
        let own = tokenizer as? SentencePieceTokenizer
        self.tokenizer = tokenizer
        self.configuration = configuration
        bosID = try id("bos_token", configuration.bosToken) ?? own?.bosID
        eosID = try id("eos_token", configuration.eosToken) ?? own?.eosID
        padID = try id("pad_token", configuration.padToken) ?? own?.padID
        unknownID = try id("unk_token", configuration.unknownToken) ?? own?.unknownID
        startID =
            (tokenizer as? BytePairTokenizer)?.template.start
            ?? (configuration.addsBOSToken ? bosID : nil)
    }
}
