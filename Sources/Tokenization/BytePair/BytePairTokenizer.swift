import Storage

/// Byte-level byte pair encoding, as `tokenizer.json` describes it.
///
/// A text is cut at added tokens, normalised, cut into pieces by the pattern of GPT-2, and each
/// piece is joined from its bytes. Ids equal those of the tokenizers library.
public struct BytePairTokenizer: Tokenizer {
    let model: BytePairModel
    let added: [AddedToken]
    /// Added tokens that are looked for in the text as it came.
    let rawMatcher: AddedTokenMatcher
    /// Added tokens that are looked for in the normalised text.
    let normalizedMatcher: AddedTokenMatcher
    /// Whether text is normalised to form C.
    let composes: Bool
    /// Whether a stretch of text that does not begin with a space gets one.
    let addsPrefixSpace: Bool
    /// Whether text is cut by the pattern of GPT-2.
    let splits: Bool
    /// What the file puts around a text where special tokens are wanted.
    let template: Template

    /// The tokens around a text.
    struct Template {
        /// The id before it; nil for none.
        var start: Int32?
        /// The id after it; nil for none.
        var end: Int32?
    }

    /// One more than the largest id.
    public let vocabularySize: Int
    /// The ids of special tokens, in ascending order.
    public let specialTokenIDs: [Int32]

    private let special: [Bool]
    /// What every id decodes to, one after another, and where each begins.
    private let decodedBytes: [UInt8]
    private let decodedStarts: [Int]
    private let addedByID: [Int32: [UInt8]]
    private let addedIDs: [[UInt8]: Int32]

    init(
        model: BytePairModel, added: [AddedToken], composes: Bool, addsPrefixSpace: Bool,
        splits: Bool, template: Template
    ) {
        self.model = model
        self.added = added
        self.composes = composes
        self.addsPrefixSpace = addsPrefixSpace
        self.splits = splits
        self.template = template
        rawMatcher = AddedTokenMatcher(
            added.filter { !$0.isNormalized }.map { ($0, $0.content) })
        normalizedMatcher = AddedTokenMatcher(
            added.filter(\.isNormalized).map { ($0, Self.pattern(of: $0, composes: composes)) })

        let size = max(model.vocabulary.upperBound, added.map { Int($0.id) + 1 }.max() ?? 0)
        vocabularySize = size
        specialTokenIDs = added.filter(\.isSpecial).map(\.id).sorted()
        var special = [Bool](repeating: false, count: size)
        for id in specialTokenIDs { special[Int(id)] = true }
        self.special = special
        addedByID = Dictionary(
            added.map { ($0.id, $0.content) }, uniquingKeysWith: { first, _ in first })
        addedIDs = Dictionary(
            added.map { ($0.content, $0.id) }, uniquingKeysWith: { first, _ in first })

        let patterns = Dictionary(
            added.map { ($0.id, Self.pattern(of: $0, composes: composes)) },
            uniquingKeysWith: { first, _ in first })
        var bytes: [UInt8] = []
        var starts: [Int] = [0]
        for id in 0..<Int32(size) {
            if let token = patterns[id] ?? model.vocabulary.token(id) {
                bytes += ByteAlphabet.decoded(token)
            }
            starts.append(bytes.count)
        }
        decodedBytes = bytes
        decodedStarts = starts
    }

    /// What is looked for in the text, and decoded, for an added token.
    static func pattern(of token: AddedToken, composes: Bool) -> [UInt8] {
        guard composes && token.isNormalized else { return token.content }
        return CanonicalComposition.shared.normalized(token.content, in: token.content.indices)
            ?? token.content
    }

    /// Whether an id is a special token.
    public func isSpecial(_ id: Int32) -> Bool {
        special.indices.contains(Int(id)) && special[Int(id)]
    }

    /// The token as the vocabulary writes it.
    public func token(for id: Int32) -> String? {
        (addedByID[id] ?? model.vocabulary.token(id)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The id of a token as the vocabulary writes it.
    public func id(of token: String) -> Int32? {
        let bytes = Array(token.utf8)
        return addedIDs[bytes] ?? model.vocabulary.id(bytes)
    }

    /// An encoder with a cache of its own.
    public func makeEncoder(recognisingSpecialTokens: Bool) -> any TokenEncoder {
        BytePairEncoder(self, recognisesSpecialTokens: recognisingSpecialTokens)
    }

    /// The text of ids.
    public func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
        var bytes: [UInt8] = []
        for id in ids where !(skippingSpecialTokens && isSpecial(id)) { bytes += decoded(id) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A decoder for ids that come one at a time.
    public func makeStreamingDecoder(skippingSpecialTokens: Bool) -> StreamingDecoder {
        StreamingDecoder(
            BytePairStream(tokenizer: self, skipsSpecialTokens: skippingSpecialTokens))
    }

    /// The bytes that an id decodes to; none for an id that the vocabulary lacks.
    func decoded(_ id: Int32) -> ArraySlice<UInt8> {
        guard id >= 0, Int(id) < vocabularySize else { return [] }
        return decodedBytes[decodedStarts[Int(id)]..<decodedStarts[Int(id) + 1]]
    }
}

/// Byte-level decoding id by id: holds back the beginning of a character.
private struct BytePairStream: StreamingDecoderState {
    let tokenizer: BytePairTokenizer
    let skipsSpecialTokens: Bool
    var pending: [UInt8] = []

    mutating func push(_ id: Int32) -> String {
        if skipsSpecialTokens && tokenizer.isSpecial(id) { return "" }
        pending += tokenizer.decoded(id)
        let complete = pending.count - UTF8Bytes.incompleteSuffix(of: pending)
        defer { pending.removeFirst(complete) }
        return String(decoding: pending[..<complete], as: UTF8.self)
    }

    mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }
}

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
            parsing: bytes, file: file,
            options: JSONOptions(refusesDuplicateKeys: true, valueLimit: Self.valueLimit))
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

    /// The most values of the file; those with 262,144 tokens have 1.9 million.
    private static let valueLimit = 2_000_000

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
