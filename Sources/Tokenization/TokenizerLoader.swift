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

extension TokenizerConfiguration {
    /// Reads the files of a tokenizer folder, any of which may be absent.
    ///
    /// `special_tokens_map.json` gives the tokens that `tokenizer_config.json` does not, and
    /// `chat_template.jinja` takes the place of its default template. Tokens that
    /// only these files name count as in transformers.
    ///
    /// - Parameter folder: The folder.
    /// - Throws: ``TokenizerError``, `JSONError` or `FileError`.
    init(folder: String) throws {
        func fields(_ name: String) throws -> JSONFields? {
            let path = FilePath.join(folder, name)
            guard FilePath.isFile(path) else { return nil }
            return try JSONFields(JSONValue.read(path), file: path)
        }
        self.init()
        if let fields = try fields("special_tokens_map.json") { try readTokens(fields) }
        let main = try fields(Self.fileName)
        try readDeclaredTokens(
            main, map: fields("special_tokens_map.json"), legacy: fields("added_tokens.json"))
        if let fields = main {
            try readClass(fields)
            try readTokens(fields)
            addsBOSToken = try fields.bool(ifPresent: "add_bos_token") ?? false
            addsEOSToken = try fields.bool(ifPresent: "add_eos_token") ?? false
            modelMaxLength = try Self.length(fields, "model_max_length")
            chatTemplates = try Self.templates(fields, "chat_template")
        }
        let template = FilePath.join(folder, "chat_template.jinja")
        if FilePath.isFile(template) {
            let source = try ByteStream.text(of: template)
            chatTemplates.removeAll { $0.name == "default" }
            chatTemplates.insert(ChatTemplate(name: "default", source: source), at: 0)
        }
    }

    private mutating func readTokens(_ fields: JSONFields) throws {
        bosToken = try Self.token(fields, "bos_token") ?? bosToken
        eosToken = try Self.token(fields, "eos_token") ?? eosToken
        padToken = try Self.token(fields, "pad_token") ?? padToken
        unknownToken = try Self.token(fields, "unk_token") ?? unknownToken
    }

    /// A token given as its text, or as an object with `content`.
    private static func token(_ fields: JSONFields, _ field: String) throws -> String? {
        fields.object[field]?.objectValue == nil
            ? try fields.string(ifPresent: field) : try fields.object(field).string("content")
    }

    /// A length; writers give 10^30 for none.
    private static func length(_ fields: JSONFields, _ field: String) throws -> Int? {
        guard let number = try fields.number(ifPresent: field), number <= 1e15 else { return nil }
        guard number >= 1, let length = Int(exactly: number) else {
            throw fields.invalid(
                field, found: "\(number)", expected: "a whole number of tokens, at least 1")
        }
        return length
    }

    private static func templates(
        _ fields: JSONFields, _ field: String
    ) throws -> [ChatTemplate] {
        guard fields.object[field]?.arrayValue != nil else {
            let source = try fields.string(ifPresent: field)
            return source.map { [ChatTemplate(name: "default", source: $0)] } ?? []
        }
        return try fields.objects(field).map {
            ChatTemplate(name: try $0.string("name"), source: try $0.string("template"))
        }
    }
}

/// A token that a file beside the tokenizer names.
struct DeclaredToken: Sendable, Equatable {
    /// The field, for messages.
    let field: String
    /// The token; its id counts if ``hasID``.
    let token: AddedToken
    /// Whether the file gives the id.
    let hasID: Bool
    /// Whether its flags count before those of `tokenizer.json`.
    var overridesFlags = false
}

extension TokenizerConfiguration {
    /// Classes of transformers that make the tokenizer anew from the vocabulary.
    ///
    /// Their own settings count before those of `tokenizer.json`. One of them is the class of Mamba
    /// models whose files name none.
    private static let rebuildingClasses = [
        "GPT2Tokenizer", "GPT2TokenizerFast", "GPTNeoXTokenizer", "GPTNeoXTokenizerFast",
    ]

    /// Reads what depends on the Python class.
    private mutating func readClass(_ fields: JSONFields) throws {
        let name = try fields.string(ifPresent: "tokenizer_class")
        let adds = try fields.bool(ifPresent: "add_prefix_space")
        if name.map(Self.rebuildingClasses.contains) ?? true { addsPrefixSpace = adds ?? false }
    }

    /// Gathers the tokens that the files name, in the order in which transformers adds them.
    ///
    /// `added_tokens_decoder` takes the place of the lists of older files.
    private mutating func readDeclaredTokens(
        _ main: JSONFields?, map: JSONFields?, legacy: JSONFields?
    ) throws {
        if let decoder = try main?.object(ifPresent: "added_tokens_decoder") {
            let tokens = try decoder.object.keys.map { key in
                guard let id = Int32(key), TokenTable.allowedIDs.contains(id) else {
                    throw decoder.invalid(key, found: key, expected: "a token id")
                }
                let token = try AddedToken(reading: decoder.object(key), id: id)
                return DeclaredToken(
                    field: decoder.name(of: key), token: token, hasID: true, overridesFlags: true)
            }
            declaredTokens += tokens.sorted { $0.token.id < $1.token.id }
        } else if let legacy {
            let tokens = try legacy.object.keys.map { content in
                DeclaredToken(
                    field: content,
                    token: AddedToken(content, id: try legacy.tokenID(content), isSpecial: false),
                    hasID: true)
            }
            declaredTokens += tokens.sorted { $0.token.id < $1.token.id }
        }
        for field in Self.roles + ["additional_special_tokens", "extra_special_tokens"] {
            let isDecoded = main?.isPresent("added_tokens_decoder") ?? false
            let places = [main, isDecoded ? nil : map].compactMap { $0 }
            guard let fields = places.first(where: { $0.isPresent(field) }) else { continue }
            let value = try fields.value(field)
            let values =
                Self.roles.contains(field)
                ? [value] : value.arrayValue ?? value.objectValue?.members.map(\.value) ?? [value]
            for (index, value) in values.enumerated() {
                let name = Self.roles.contains(field) ? field : "\(field)[\(index)]"
                declaredTokens.append(
                    DeclaredToken(
                        field: fields.name(of: name),
                        token: try Self.specialToken(value, name, of: fields), hasID: false))
            }
        }
    }

    private static let roles = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    private static func specialToken(
        _ value: JSONValue, _ field: String, of fields: JSONFields
    ) throws -> AddedToken {
        if value.objectValue != nil {
            let named = JSONFields(JSONObject([(field, value)]), place: fields.place)
            var token = try AddedToken(reading: named.object(field), id: 0)
            token.isSpecial = true
            return token
        }
        guard let content = value.stringValue, !content.isEmpty else {
            throw fields.invalid(field, found: value.kind, expected: "a token")
        }
        return AddedToken(content, id: 0, isSpecial: true)
    }

    /// Adds the tokens that `tokenizer.json` lacks.
    ///
    /// A token of the vocabulary keeps its id, others get the next free ones, as in the tokenizers
    /// library.
    ///
    /// - Parameters:
    ///   - added: The tokens of `tokenizer.json`.
    ///   - vocabulary: Of the model there.
    ///   - file: The name that errors give.
    /// - Throws: ``TokenizerError`` if a file gives a token an id that it cannot have, or a role to
    ///   a token that is in no vocabulary.
    func complete(
        _ added: inout [AddedToken], vocabulary: TokenTable, file: String
    ) throws {
        var places = [[UInt8]: Int](
            added.enumerated().map { ($1.content, $0) }, uniquingKeysWith: { first, _ in first })
        var next = Int32(max(vocabulary.count, added.map { Int($0.id) + 1 }.max() ?? 0))
        for declared in declaredTokens {
            var token = declared.token
            let place = places[token.content]
            let known = place.map { added[$0].id } ?? vocabulary.id(token.content)
            token.id = known ?? next
            guard !declared.hasID || declared.token.id == token.id else {
                throw TokenizerError.invalid(
                    file: file, field: declared.field,
                    found: quoted(String(decoding: token.content, as: UTF8.self)),
                    expected: "a token whose id is \(token.id)")
            }
            if let place {
                if declared.overridesFlags { added[place] = token }
                continue
            }
            guard known != nil || !Self.roles.contains(declared.field) else {
                throw TokenizerError.unknownToken(
                    file: file, field: declared.field,
                    token: String(decoding: token.content, as: UTF8.self))
            }
            guard added.count < AddedToken.limit else {
                throw TokenizerError.invalid(
                    file: file, field: declared.field, found: "one more added token",
                    expected: "at most \(AddedToken.limit)")
            }
            if known == nil { next += 1 }
            places[token.content] = added.count
            added.append(token)
        }
    }

    /// Refuses tokens that a SentencePiece model, to which none can be added, lacks.
    fileprivate func checkTokens(of tokenizer: any Tokenizer, file: String) throws {
        for declared in declaredTokens {
            let content = String(decoding: declared.token.content, as: UTF8.self)
            guard let id = tokenizer.id(of: content) else {
                throw TokenizerError.unknownToken(
                    file: file, field: declared.field, token: content)
            }
            guard !declared.hasID || id == declared.token.id else {
                throw TokenizerError.invalid(
                    file: file, field: declared.field, found: quoted(content),
                    expected: "a token whose id is \(id)")
            }
        }
    }
}

extension AddedToken {
    /// A token without flags.
    fileprivate init(_ content: String, id: Int32, isSpecial: Bool) {
        self.init(
            content: Array(content.utf8), id: id, isSpecial: isSpecial, isNormalized: !isSpecial,
            stripsLeft: false, stripsRight: false, isSingleWord: false)
    }
}

/// Token ids, and the errors of a tokenizer's files.
extension JSONFields {
    /// A token id, held to ``TokenTable/allowedIDs``.
    func tokenID(_ field: String) throws -> Int32 { try tokenID(field, value(field)) }

    /// A token id, the value of a field.
    func tokenID(_ field: String, _ value: JSONValue) throws -> Int32 {
        guard case .integer(let number) = value, let id = Int32(exactly: number),
            TokenTable.allowedIDs.contains(id)
        else {
            // A value of another kind is an error like any field's.
            let number = try integer(field)
            throw invalid(
                field, found: "\(number)",
                expected: "a token id below \(TokenTable.allowedIDs.upperBound)")
        }
        return id
    }

    /// The error for an invalid value of the right kind.
    func invalid(_ field: String, found: String, expected: String) -> TokenizerError {
        .invalid(file: place, field: name(of: field), found: found, expected: expected)
    }

    /// The error for something this toolkit does not do, in a field or, without one, the object.
    func unsupported(
        _ field: String? = nil, found: String, supported: String
    ) -> TokenizerError {
        .unsupported(
            file: place, field: field.map(name(of:)) ?? name, found: found, supported: supported)
    }

    /// The error for a token that is not in the vocabulary.
    func unknownToken(_ field: String, _ token: String) -> TokenizerError {
        .unknownToken(file: place, field: name(of: field), token: token)
    }
}
