import Storage

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
    mutating func readClass(_ fields: JSONFields) throws {
        let name = try fields.string(ifPresent: "tokenizer_class")
        let adds = try fields.bool(ifPresent: "add_prefix_space")
        if name.map(Self.rebuildingClasses.contains) ?? true { addsPrefixSpace = adds ?? false }
    }

    /// Gathers the tokens that the files name, in the order in which transformers adds them.
    ///
    /// `added_tokens_decoder` takes the place of the lists of older files.
    mutating func readDeclaredTokens(
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
    func checkTokens(of tokenizer: any Tokenizer, file: String) throws {
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
