import Storage

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
