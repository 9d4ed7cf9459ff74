extension TokenizerConfiguration {
    /// Reads the files of a tokenizer folder, any of which may be absent.
    ///
    /// `special_tokens_map.json` gives the tokens that `tokenizer_config.json` does not, and
    /// `chat_template.jinja` takes the place of its default template. Keys not listed here say how
    /// Python classes behave, and are not read.
    ///
    /// - Parameter read: The content of a file by its name, nil if there is none, and its path.
    /// - Throws: ``TokenizerError``.
    init(reading read: (_ name: String) throws -> (bytes: [UInt8], path: String)?) throws {
        func root(_ name: String) throws -> JSONField? {
            guard let (bytes, path) = try read(name) else { return nil }
            let value = try JSONParser.parse(bytes, file: path)
            let field = JSONField(file: path, path: "", value: value)
            _ = try field.members()
            return field
        }
        self.init()
        if let field = try root("special_tokens_map.json") { try readTokens(field) }
        if let field = try root("tokenizer_config.json") {
            try readTokens(field)
            addsBOSToken = try field["add_bos_token"].boolean(absent: false)
            addsEOSToken = try field["add_eos_token"].boolean(absent: false)
            modelMaxLength = try Self.length(try field["model_max_length"])
            chatTemplates = try Self.templates(try field["chat_template"])
        }
        if let (bytes, path) = try read("chat_template.jinja") {
            guard let source = String(validating: bytes, as: UTF8.self) else {
                throw TokenizerError.unreadable(file: path, reason: "it is not UTF-8")
            }
            chatTemplates.removeAll { $0.name == "default" }
            chatTemplates.insert(ChatTemplate(name: "default", source: source), at: 0)
        }
    }

    private mutating func readTokens(_ field: JSONField) throws {
        bosToken = try Self.token(try field["bos_token"]) ?? bosToken
        eosToken = try Self.token(try field["eos_token"]) ?? eosToken
        padToken = try Self.token(try field["pad_token"]) ?? padToken
        unknownToken = try Self.token(try field["unk_token"]) ?? unknownToken
    }

    /// A token given as its text, or as an object with `content`.
    private static func token(_ field: JSONField) throws -> String? {
        switch field.value {
        case .null: nil
        case .object: try field["content"].string()
        default: try field.string()
        }
    }

    /// A length; writers give 10^30 for none.
    private static func length(_ field: JSONField) throws -> Int? {
        if field.isNull { return nil }
        guard case .number(let number) = field.value, number >= 1 else {
            throw field.wrong(expected: "a number of tokens")
        }
        if number > 1e15 { return nil }
        guard let length = Int(exactly: number) else {
            throw field.invalid("\(number)", expected: "a whole number")
        }
        return length
    }

    private static func templates(_ field: JSONField) throws -> [ChatTemplate] {
        switch field.value {
        case .null: []
        case .array:
            try field.elements().map {
                ChatTemplate(
                    name: try $0["name"].string(), source: try $0["template"].string())
            }
        default: [ChatTemplate(name: "default", source: try field.string())]
        }
    }
}
