/// What `tokenizer_config.json` and its companions say around a tokenizer.
public struct TokenizerConfiguration: Sendable, Equatable {
    /// A chat template and its name.
    public struct ChatTemplate: Sendable, Equatable {
        /// The name, `default` for the one to use unless another is asked for.
        public let name: String
        /// The Jinja source.
        public let source: String
    }

    /// The file's name, beside the tokenizer.
    static let fileName = "tokenizer_config.json"

    /// The token before a text, if the files name one.
    public var bosToken: String?
    /// The token after a text.
    public var eosToken: String?
    /// The token that fills short records of a batch.
    ///
    /// It may be the same as ``eosToken``, so mask padding by length, never by id.
    public var padToken: String?
    /// The token for what the vocabulary lacks.
    public var unknownToken: String?
    /// The longest text the model is made for, in tokens; nil for no limit.
    public var modelMaxLength: Int?
    /// Whether a text begins with ``bosToken``.
    public var addsBOSToken = false
    /// Whether a text ends with ``eosToken``.
    public var addsEOSToken = false
    /// Whether text that does not begin with a space gets one; nil if `tokenizer.json` decides.
    var addsPrefixSpace: Bool?
    /// The tokens that the files name, which `tokenizer.json` may lack, in the order of their ids.
    var declaredTokens: [DeclaredToken] = []
    /// The chat templates, in the files' order.
    public var chatTemplates: [ChatTemplate] = []

    /// A configuration that says nothing.
    public init() {}

    /// The source of the chat template to use: the one named `default`, or the only one.
    public var chatTemplate: String? {
        let standard = chatTemplates.first { $0.name == "default" }
        return (standard ?? (chatTemplates.count == 1 ? chatTemplates[0] : nil))?.source
    }
}
