extension BytePairTokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// `truncation` and `padding` are not read: they shape batches, and the ids of one text do not
    /// depend on them.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - file: The name that errors give.
    /// - Throws: ``TokenizerError``, when the file is not understood or asks for what this
    ///   tokenizer does not do.
    public init(parsing bytes: [UInt8], file: String) throws {
        let root = JSONField(file: file, path: "", value: try JSONParser.parse(bytes, file: file))
        let version = try root["version"]
        if !version.isNull, try version.string() != "1.0" {
            throw version.unsupported(try version.string(), supported: "1.0")
        }
        let model = try BytePairModel(reading: try root["model"])
        let composes = try Self.composes(try root["normalizer"])
        let splitting = try Self.byteLevel(
            try root["pre_tokenizer"], partsKey: "pretokenizers")
        try Self.checkPostProcessor(try root["post_processor"])
        _ = try Self.byteLevel(try root["decoder"], partsKey: "decoders")
        self.init(
            model: model,
            added: try Self.addedTokens(
                try root["added_tokens"], model: model, composes: composes),
            composes: composes,
            addsPrefixSpace: try splitting["add_prefix_space"].boolean(),
            splits: try splitting["use_regex"].boolean(absent: true))
    }

    private static func composes(_ normalizer: JSONField) throws -> Bool {
        if normalizer.isNull { return false }
        switch try normalizer["type"].string() {
        case "NFC": return true
        case "Sequence":
            return try normalizer["normalizers"].elements().reduce(false) {
                try composes($1) || $0
            }
        case let type: throw normalizer.unsupported(type, supported: "NFC, Sequence or null")
        }
    }

    /// The `ByteLevel` that a pre-tokeniser or decoder is, or is a sequence of.
    private static func byteLevel(_ field: JSONField, partsKey: String) throws -> JSONField {
        let type = field.isNull ? "null" : try field["type"].string()
        if type == "ByteLevel" { return field }
        if type == "Sequence" {
            let parts = try field[partsKey].elements()
            if parts.count == 1 { return try byteLevel(parts[0], partsKey: partsKey) }
            let types = try parts.map { try $0["type"].string() }
            throw field.unsupported(
                "Sequence of \(types.joined(separator: ", "))", supported: "one ByteLevel")
        }
        throw field.unsupported(type, supported: "ByteLevel")
    }

    private static func checkPostProcessor(_ field: JSONField) throws {
        if field.isNull { return }
        switch try field["type"].string() {
        case "ByteLevel": return
        case "Sequence": try field["processors"].elements().forEach(checkPostProcessor)
        case "TemplateProcessing":
            for part in try field["single"].elements() where try !part["SpecialToken"].isNull {
                throw field.unsupported(
                    "TemplateProcessing that adds '\(try part["SpecialToken"]["id"].string())'",
                    supported: "one that adds no token")
            }
        case let type:
            throw field.unsupported(
                type, supported: "ByteLevel, TemplateProcessing, Sequence or null")
        }
    }

    private static func addedTokens(
        _ field: JSONField, model: BytePairModel, composes: Bool
    ) throws -> [AddedToken] {
        if field.isNull { return [] }
        var tokens: [AddedToken] = []
        var contents: Set<[UInt8]> = []
        var patterns: Set<[UInt8]> = []
        // The library gives a token that the model lacks the next free id, whatever the file says.
        var next = Int32(model.vocabulary.count)
        for element in try field.elements() {
            let isSpecial = try element["special"].boolean(absent: false)
            let token = AddedToken(
                content: try element["content"].bytes(), id: try element["id"].tokenID(),
                isSpecial: isSpecial,
                isNormalized: try element["normalized"].boolean(absent: !isSpecial),
                stripsLeft: try element["lstrip"].boolean(absent: false),
                stripsRight: try element["rstrip"].boolean(absent: false),
                isSingleWord: try element["single_word"].boolean(absent: false))
            guard !token.content.isEmpty else {
                throw try element["content"].invalid("empty", expected: "a token")
            }
            let known = model.vocabulary.id(token.content)
            guard token.id == known ?? next else {
                throw try element["id"].invalid("\(token.id)", expected: "\(known ?? next)")
            }
            if known == nil { next += 1 }
            let pattern = pattern(of: token, composes: composes)
            guard contents.insert(token.content).inserted,
                patterns.insert(pattern + [token.isNormalized ? 1 : 0]).inserted
            else {
                throw try element["content"].invalid(
                    "'\(String(decoding: token.content, as: UTF8.self))'",
                    expected: "no token that another one is already")
            }
            tokens.append(token)
        }
        return tokens
    }
}

extension JSONField {
    /// The error for something this toolkit does not do.
    func unsupported(_ found: String, supported: String) -> TokenizerError {
        .unsupported(file: file, field: path, found: found, supported: supported)
    }

    /// The error for a value of the right type that makes no sense.
    func invalid(_ found: String, expected: String) -> TokenizerError {
        .invalid(file: file, field: path, found: found, expected: expected)
    }
}
