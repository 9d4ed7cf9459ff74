extension BytePairModel {
    /// Reads the `model` of a `tokenizer.json`.
    ///
    /// - Throws: ``TokenizerError``.
    init(reading field: JSONField) throws {
        try Self.checkSettings(of: field)
        let vocabularyField = try field["vocab"]
        var vocabulary = TokenTable()
        for member in try vocabularyField.members() {
            let token = String(decoding: member.key, as: UTF8.self)
            let id = try JSONField(
                file: field.file, path: "\(vocabularyField.path).\(token)", value: member.value
            ).tokenID()
            guard vocabulary.insert(member.key, id: id) else {
                throw vocabularyField.invalid(
                    "giving '\(token)' the id \(id)", expected: "every token and every id once")
            }
        }

        let alphabet = ByteAlphabet.encoded
        byteSymbols = (UInt8(0)...255).map { vocabulary.id(alphabet([$0].span, 0..<1)) ?? -1 }
        let unknownField = try field["unk_token"]
        unknown =
            unknownField.isNull ? nil : vocabulary.id(try unknownField.bytes())
        if unknown == nil, !unknownField.isNull, Self.isMissingTextByte(in: byteSymbols) {
            throw TokenizerError.unknownToken(
                file: field.file, field: unknownField.path, token: try unknownField.string())
        }
        merges = try Self.merges(try field["merges"], vocabulary: vocabulary)
        fusesUnknown = try field["fuse_unk"].boolean(absent: false)
        ignoresMerges = try field["ignore_merges"].boolean(absent: false)
        self.vocabulary = vocabulary
    }

    private static func checkSettings(of field: JSONField) throws {
        let type = try field["type"]
        if !type.isNull, try type.string() != "BPE" {
            throw type.unsupported(try type.string(), supported: "BPE")
        }
        let dropout = try field["dropout"]
        switch dropout.value {
        case .null, .number(0): break
        case .number(let number): throw dropout.unsupported("\(number)", supported: "null")
        default: throw dropout.wrong(expected: "a number or null")
        }
        let fallback = try field["byte_fallback"]
        if try fallback.boolean(absent: false) {
            throw fallback.unsupported("true", supported: "false")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            let affix = try field[key]
            if affix.isNull { continue }
            let text = try affix.string()
            if !text.isEmpty { throw affix.unsupported("'\(text)'", supported: "null") }
        }
    }

    private static func merges(_ field: JSONField, vocabulary: TokenTable) throws -> MergeTable {
        guard case .array(let values) = field.value else { throw field.wrong(expected: "an array") }
        var merges = MergeTable(capacity: values.count)
        var rank: Int32 = 0
        for (index, value) in values.enumerated() {
            let element = JSONField(file: field.file, path: "\(field.path)[\(index)]", value: value)
            guard let (left, right) = try pair(element) else { continue }
            let ids = try [left, right, left + right].map { token in
                guard let id = vocabulary.id(token) else {
                    throw TokenizerError.unknownToken(
                        file: field.file, field: element.path,
                        token: String(decoding: token, as: UTF8.self))
                }
                return id
            }
            merges.insert(ids[0], ids[1], rank: rank, joined: ids[2])
            rank += 1
        }
        return merges
    }

    /// The two sides of a merge, written "a b" or ["a", "b"]; nil for a version line.
    private static func pair(_ field: JSONField) throws -> (left: [UInt8], right: [UInt8])? {
        if case .array = field.value {
            let parts = try field.elements()
            guard parts.count == 2 else {
                throw field.invalid("\(parts.count) parts", expected: "2")
            }
            return (try parts[0].bytes(), try parts[1].bytes())
        }
        let text = try field.bytes()
        if text.starts(with: "#version".utf8) { return nil }
        let parts = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw field.invalid(
                "'\(String(decoding: text, as: UTF8.self))'",
                expected: "two tokens with a space between")
        }
        return (Array(parts[0]), Array(parts[1]))
    }

    /// Whether a byte that occurs in UTF-8 has no symbol.
    private static func isMissingTextByte(in symbols: [Int32]) -> Bool {
        symbols.enumerated().contains { byte, symbol in
            symbol < 0 && byte != 0xC0 && byte != 0xC1 && byte < 0xF5
        }
    }
}
