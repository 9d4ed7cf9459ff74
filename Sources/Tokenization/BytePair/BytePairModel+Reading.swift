import Storage

extension BytePairModel {
    /// Reads the `model` of a `tokenizer.json`.
    ///
    /// - Throws: ``TokenizerError`` or `JSONError`.
    init(reading fields: JSONFields) throws {
        try Self.checkSettings(of: fields)
        let vocabulary = try Self.vocabulary(fields.object("vocab"))
        let alphabet = ByteAlphabet.encoded
        byteSymbols = (UInt8(0)...255).map { vocabulary.id(alphabet([$0].span, 0..<1)) ?? -1 }
        let unknownToken = try fields.string(ifPresent: "unk_token")
        unknown = unknownToken.flatMap { vocabulary.id(Array($0.utf8)) }
        if let unknownToken, unknown == nil, Self.isMissingTextByte(in: byteSymbols) {
            throw fields.unknownToken("unk_token", unknownToken)
        }
        merges = try Self.merges(of: fields, vocabulary: vocabulary)
        fusesUnknown = try fields.bool(ifPresent: "fuse_unk") ?? false
        ignoresMerges = try fields.bool(ifPresent: "ignore_merges") ?? false
        self.vocabulary = vocabulary
    }

    private static func checkSettings(of fields: JSONFields) throws {
        if let type = try fields.string(ifPresent: "type"), type != "BPE" {
            throw fields.unsupported("type", found: type, supported: "BPE")
        }
        if let dropout = try fields.number(ifPresent: "dropout"), dropout != 0 {
            throw fields.unsupported("dropout", found: "\(dropout)", supported: "null")
        }
        if try fields.bool(ifPresent: "byte_fallback") == true {
            throw fields.unsupported("byte_fallback", found: "true", supported: "false")
        }
        for field in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try fields.string(ifPresent: field), !affix.isEmpty {
                throw fields.unsupported(field, found: quoted(affix), supported: "null")
            }
        }
    }

    private static func vocabulary(_ fields: JSONFields) throws -> TokenTable {
        var vocabulary = TokenTable()
        for member in fields.object.members {
            let token = member.key
            let id = try fields.tokenID(token, member.value)
            guard vocabulary.insert(Array(token.utf8), id: id) else {
                throw fields.invalid(
                    token, found: "\(id), the id of another token", expected: "an id of its own")
            }
        }
        return vocabulary
    }

    private static func merges(
        of fields: JSONFields, vocabulary: TokenTable
    ) throws -> MergeTable {
        let values = try fields.array("merges")
        var merges = MergeTable(capacity: values.count)
        var rank: Int32 = 0
        for (index, value) in values.enumerated() {
            if value.stringValue?.utf8.starts(with: "#version".utf8) == true { continue }
            guard let (left, right) = pair(value) else {
                throw fields.invalid(
                    "merges[\(index)]", found: JSONWriter(escapesNonASCII: false).string(value),
                    expected: "two tokens, as [\"a\", \"b\"] or \"a b\"")
            }
            let ids = try [left, right, left + right].map { token in
                guard let id = vocabulary.id(token) else {
                    throw fields.unknownToken(
                        "merges[\(index)]", String(decoding: token, as: UTF8.self))
                }
                return id
            }
            merges.insert(ids[0], ids[1], rank: rank, joined: ids[2])
            rank += 1
        }
        return merges
    }

    /// The two sides of a merge, written "a b" or ["a", "b"].
    private static func pair(_ value: JSONValue) -> (left: [UInt8], right: [UInt8])? {
        if let text = value.stringValue {
            let sides = text.utf8.split(
                separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            return sides.count == 2 ? (Array(sides[0]), Array(sides[1])) : nil
        }
        guard let sides = value.arrayValue, sides.count == 2, let left = sides[0].stringValue,
            let right = sides[1].stringValue
        else { return nil }
        return (Array(left.utf8), Array(right.utf8))
    }

    /// Whether a byte that occurs in UTF-8 has no symbol.
    private static func isMissingTextByte(in symbols: [Int32]) -> Bool {
        symbols.enumerated().contains { byte, symbol in
            symbol < 0 && byte != 0xC0 && byte != 0xC1 && byte < 0xF5
        }
    }
}
