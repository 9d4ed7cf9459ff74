import Storage

extension BytePairTokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// `truncation` and `padding` are not read: they shape batches, and the ids of one text do not
    /// depend on them.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - file: The name that errors give.
    ///   - configuration: What the files beside it say of prefix spaces and further tokens.
    ///   - configurationFile: The name that errors in those give.
    /// - Throws: ``TokenizerError``, when the file asks for what this tokenizer does not do, or
    ///   `JSONError`, when it is not understood.
    public init(
        parsing bytes: [UInt8], file: String,
        configuration: TokenizerConfiguration = TokenizerConfiguration(),
        configurationFile: String = "tokenizer_config.json"
    ) throws {
        let value = try JSONValue(
            parsing: bytes, file: file, options: JSONOptions(refusesDuplicateKeys: true))
        let root = try JSONFields(value, file: file)
        if let version = try root.string(ifPresent: "version"), version != "1.0" {
            throw root.unsupported("version", found: version, supported: "1.0")
        }
        let model = try BytePairModel(reading: root.object("model"))
        let composes = try root.object(ifPresent: "normalizer").map(Self.composes) ?? false
        let splitting = try Self.byteLevel(root, "pre_tokenizer", partsField: "pretokenizers")
        var template = Template()
        if let processor = try root.object(ifPresent: "post_processor") {
            try Self.readPostProcessor(processor, into: &template)
        }
        _ = try Self.byteLevel(root, "decoder", partsField: "decoders")
        var added = try Self.addedTokens(root, model: model, composes: composes)
        try configuration.complete(
            &added, vocabulary: model.vocabulary, file: configurationFile)
        let addsPrefixSpace = try splitting.bool("add_prefix_space")
        self.init(
            model: model, added: added, composes: composes,
            addsPrefixSpace: configuration.addsPrefixSpace ?? addsPrefixSpace,
            splits: try splitting.bool(ifPresent: "use_regex") ?? true, template: template)
        for id in [template.start, template.end] {
            guard let id, token(for: id) == nil else { continue }
            throw root.invalid("post_processor", found: "\(id)", expected: "ids of tokens")
        }
    }

    private static func composes(_ normalizer: JSONFields) throws -> Bool {
        switch try normalizer.string("type") {
        case "NFC": return true
        case "Sequence":
            return try normalizer.objects("normalizers").reduce(false) {
                try composes($1) || $0
            }
        case let type:
            throw normalizer.unsupported(found: type, supported: "NFC, Sequence or null")
        }
    }

    /// The `ByteLevel` that a pre-tokeniser or decoder is, or is a sequence of.
    private static func byteLevel(
        _ root: JSONFields, _ field: String, partsField: String
    ) throws -> JSONFields {
        guard var fields = try root.object(ifPresent: field) else {
            throw root.unsupported(field, found: "null", supported: "ByteLevel")
        }
        while try fields.string("type") == "Sequence" {
            let parts = try fields.objects(partsField)
            guard parts.count == 1 else {
                let types = try parts.map { try $0.string("type") }
                throw fields.unsupported(
                    found: "Sequence of \(types.joined(separator: ", "))",
                    supported: "one ByteLevel")
            }
            fields = parts[0]
        }
        let type = try fields.string("type")
        guard type == "ByteLevel" else {
            throw fields.unsupported(found: type, supported: "ByteLevel")
        }
        return fields
    }

    private static func readPostProcessor(
        _ fields: JSONFields, into template: inout Template
    ) throws {
        switch try fields.string("type") {
        case "ByteLevel": return
        case "Sequence":
            for part in try fields.objects("processors") {
                try readPostProcessor(part, into: &template)
            }
        case "TemplateProcessing":
            var isAfter = false
            for part in try fields.objects("single") {
                guard let special = try part.object(ifPresent: "SpecialToken") else {
                    isAfter = true
                    continue
                }
                let name = try special.string("id")
                let ids = try fields.object("special_tokens").object(name).integers("ids")
                guard ids.count == 1, let id = Int32(exactly: ids[0]),
                    isAfter ? template.end == nil : template.start == nil
                else {
                    throw fields.unsupported(
                        found: "TemplateProcessing that adds \(quoted(name))",
                        supported: "one that adds one token before and one after a text")
                }
                if isAfter { template.end = id } else { template.start = id }
            }
        case let type:
            throw fields.unsupported(
                found: type, supported: "ByteLevel, TemplateProcessing, Sequence or null")
        }
    }

    private static func addedTokens(
        _ root: JSONFields, model: BytePairModel, composes: Bool
    ) throws -> [AddedToken] {
        guard root.isPresent("added_tokens") else { return [] }
        var tokens: [AddedToken] = []
        var contents: Set<[UInt8]> = []
        var patterns: Set<[UInt8]> = []
        // The library gives a token that the model lacks the next free id, whatever the file says.
        var next = Int32(model.vocabulary.count)
        let list = try root.objects("added_tokens")
        guard list.count <= AddedToken.limit else {
            throw root.invalid(
                "added_tokens", found: "a list of \(list.count)",
                expected: "at most \(AddedToken.limit) tokens")
        }
        for fields in list {
            let token = try AddedToken(reading: fields)
            let known = model.vocabulary.id(token.content)
            guard token.id == known ?? next else {
                throw fields.invalid("id", found: "\(token.id)", expected: "\(known ?? next)")
            }
            if known == nil { next += 1 }
            let pattern = pattern(of: token, composes: composes)
            guard contents.insert(token.content).inserted,
                patterns.insert(pattern + [token.isNormalized ? 1 : 0]).inserted
            else {
                throw fields.invalid(
                    "content", found: quoted(try fields.string("content")),
                    expected: "no token that another one is already")
            }
            tokens.append(token)
        }
        return tokens
    }
}

extension AddedToken {
    /// Reads an element of `added_tokens`.
    fileprivate init(reading fields: JSONFields) throws {
        try self.init(reading: fields, id: fields.tokenID("id"))
    }

    /// Reads a token whose id is said elsewhere.
    init(reading fields: JSONFields, id: Int32) throws {
        content = Array(try fields.string("content").utf8)
        guard !content.isEmpty else {
            throw fields.invalid("content", found: "empty", expected: "a token")
        }
        self.id = id
        isSpecial = try fields.bool(ifPresent: "special") ?? false
        isNormalized = try fields.bool(ifPresent: "normalized") ?? !isSpecial
        stripsLeft = try fields.bool(ifPresent: "lstrip") ?? false
        stripsRight = try fields.bool(ifPresent: "rstrip") ?? false
        isSingleWord = try fields.bool(ifPresent: "single_word") ?? false
    }
}
