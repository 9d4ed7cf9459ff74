import Storage

/// Byte pair encoding of one piece of text.
///
/// Starts from one symbol a byte and joins, again and again, the leftmost of the pairs that the
/// training joined earliest. Source: Sennrich, Haddow and Birch, 2016, section 3.2.
struct BytePairModel {
    /// The vocabulary, as the file writes it.
    let vocabulary: TokenTable
    /// The joins.
    let merges: MergeTable
    /// The symbol of every byte; -1 where the vocabulary has none.
    let byteSymbols: [Int32]
    /// What stands for a byte without a symbol; without one such bytes are left out, as the
    /// reference library does.
    let unknown: Int32?
    /// Whether neighbouring unknown bytes make one symbol.
    let fusesUnknown: Bool
    /// Whether a piece that is in the vocabulary is one token, whatever the joins say.
    let ignoresMerges: Bool

    /// A piece with more symbols is joined with a heap: time n log n in place of n².
    static let longestScanned = 64

    /// Appends the ids of one piece.
    ///
    /// - Parameters:
    ///   - text: UTF-8.
    ///   - range: Where the piece lies, not empty.
    ///   - ids: Where the ids go.
    func encode(_ text: Span<UInt8>, in range: Range<Int>, into ids: inout [Int32]) {
        if ignoresMerges, let id = vocabulary.id(ByteAlphabet.encoded(text, in: range)) {
            ids.append(id)
            return
        }
        if range.count <= Self.longestScanned {
            encodeByScanning(text, in: range, into: &ids)
        } else {
            var symbols: [Int32] = []
            symbols.reserveCapacity(range.count)
            appendSymbols(of: text, in: range, to: &symbols)
            SymbolQueue.join(symbols, by: merges, into: &ids)
        }
    }

    private func encodeByScanning(
        _ text: Span<UInt8>, in range: Range<Int>, into ids: inout [Int32]
    ) {
        var symbols = InlineArray<64, Int32>(repeating: 0)
        var ranks = InlineArray<64, Int32>(repeating: Int32.max)
        var count = 0
        for position in range {
            let symbol = byteSymbols[Int(text[position])]
            if symbol >= 0 {
                symbols[count] = symbol
                count += 1
            } else if let unknown {
                let follows = position > range.lowerBound && isUnknown(text[position - 1])
                if fusesUnknown && follows { continue }
                symbols[count] = unknown
                count += 1
            }
        }
        for index in 0..<max(count - 1, 0) {
            ranks[index] = merges.merge(symbols[index], symbols[index + 1]).rank
        }
        while count > 1 {
            var best = 0
            var bestRank = ranks[0]
            for index in 1..<(count - 1) where ranks[index] < bestRank {
                best = index
                bestRank = ranks[index]
            }
            if bestRank == Int32.max { break }
            symbols[best] = merges.merge(symbols[best], symbols[best + 1]).joined
            count -= 1
            for index in (best + 1)..<max(count, best + 1) {
                symbols[index] = symbols[index + 1]
                ranks[index] = ranks[index + 1]
            }
            ranks[best] =
                best + 1 < count ? merges.merge(symbols[best], symbols[best + 1]).rank : Int32.max
            if best > 0 {
                ranks[best - 1] = merges.merge(symbols[best - 1], symbols[best]).rank
            }
        }
        for index in 0..<count { ids.append(symbols[index]) }
    }

    private func appendSymbols(
        of text: Span<UInt8>, in range: Range<Int>, to symbols: inout [Int32]
    ) {
        for position in range {
            let symbol = byteSymbols[Int(text[position])]
            if symbol >= 0 {
                symbols.append(symbol)
            } else if let unknown {
                let follows = position > range.lowerBound && isUnknown(text[position - 1])
                if fusesUnknown && follows { continue }
                symbols.append(unknown)
            }
        }
    }

    private func isUnknown(_ byte: UInt8) -> Bool { byteSymbols[Int(byte)] < 0 }
}

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

/// Which two symbols join, how early, and into what.
///
/// An open-addressed table, half empty at least: encoding looks up little else.
struct MergeTable {
    private struct Entry {
        var pair: UInt64
        var rank: Int32
        var joined: Int32
    }

    /// No pair has this key, since ids are not negative.
    private static let empty = UInt64.max

    private var entries: [Entry]
    private let shift: UInt64

    /// Makes room for a number of merges.
    init(capacity: Int) {
        var bits = 4
        while 1 << bits < capacity * 2 { bits += 1 }
        entries = [Entry](
            repeating: Entry(pair: Self.empty, rank: 0, joined: 0), count: 1 << bits)
        shift = UInt64(64 - bits)
    }

    /// Adds a merge; the last one of a pair holds.
    ///
    /// No more than the capacity may be added.
    mutating func insert(_ left: Int32, _ right: Int32, rank: Int32, joined: Int32) {
        let pair = Self.pair(left, right)
        var slot = slot(pair)
        while entries[slot].pair != Self.empty && entries[slot].pair != pair {
            slot = (slot + 1) & (entries.count - 1)
        }
        entries[slot] = Entry(pair: pair, rank: rank, joined: joined)
    }

    /// The rank and the result of joining two symbols; the rank is `Int32.max` if they do not join.
    @inline(__always)
    func merge(_ left: Int32, _ right: Int32) -> (rank: Int32, joined: Int32) {
        let pair = Self.pair(left, right)
        let entries = entries.span
        var slot = slot(pair)
        while true {
            let entry = entries[slot]
            if entry.pair == pair { return (entry.rank, entry.joined) }
            if entry.pair == Self.empty { return (Int32.max, -1) }
            slot = (slot + 1) & (entries.count - 1)
        }
    }

    /// The two sides of each merge, the earliest first.
    var byRank: [(left: Int32, right: Int32)] {
        entries.filter { $0.pair != Self.empty }.sorted { $0.rank < $1.rank }.map { entry in
            (Int32(truncatingIfNeeded: entry.pair >> 32), Int32(truncatingIfNeeded: entry.pair))
        }
    }

    @inline(__always)
    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private func slot(_ pair: UInt64) -> Int {
        Int(truncatingIfNeeded: (pair &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }
}

/// Tokens by id and ids by token, compared byte for byte.
struct TokenTable {
    /// Ids from a file are held to this, so that a lying one cannot ask for all memory.
    ///
    /// The largest vocabularies that are used have 262,144 tokens.
    static let allowedIDs: Range<Int32> = 0..<(1 << 19)

    /// One more than the largest id.
    private(set) var upperBound: Int = 0
    /// How many tokens there are.
    private(set) var count = 0

    private var texts: [[UInt8]?] = []
    private var slots = [Int32](repeating: -1, count: 64)

    /// Adds a token.
    ///
    /// - Parameters:
    ///   - token: Its text.
    ///   - id: Its id, in ``allowedIDs``.
    /// - Returns: Whether neither was there before; if either was, nothing is added.
    mutating func insert(_ token: [UInt8], id: Int32) -> Bool {
        let index = Int(id)
        if index < texts.count, texts[index] != nil { return false }
        if (count + 1) * 2 > slots.count { grow() }
        let slot = slot(of: token)
        guard slots[slot] < 0 else { return false }
        if index >= texts.count {
            texts += repeatElement(nil, count: index + 1 - texts.count)
        }
        texts[index] = token
        slots[slot] = id
        upperBound = max(upperBound, index + 1)
        count += 1
        return true
    }

    /// The text of an id, or nil.
    func token(_ id: Int32) -> [UInt8]? {
        id >= 0 && Int(id) < texts.count ? texts[Int(id)] : nil
    }

    /// The id of a token, or nil.
    func id(_ token: [UInt8]) -> Int32? {
        let id = slots[slot(of: token)]
        return id < 0 ? nil : id
    }

    /// Where a token is, or where it would go, by linear probing; half of the slots are empty.
    private func slot(of token: [UInt8]) -> Int {
        var hash = FNV1a()
        for byte in token { hash.combine(UInt64(byte)) }
        var slot = hash.slot(in: slots.count)
        while slots[slot] >= 0, texts[Int(slots[slot])] != token {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private mutating func grow() {
        let ids = slots.filter { $0 >= 0 }
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for id in ids {
            if let token = texts[Int(id)] { slots[slot(of: token)] = id }
        }
    }
}

extension FNV1a {
    /// The slot in a table whose size is a power of two.
    @inline(__always)
    func slot(in count: Int) -> Int {
        Int(truncatingIfNeeded: (value &* 0x9E37_79B9_7F4A_7C15) >> 32) & (count - 1)
    }
}

/// The printable stand-ins for the 256 bytes in which byte-level vocabularies are written.
///
/// Printable bytes of Latin-1 stand for themselves; the other 68 are U+0100 and up, in order, so a
/// space is `Ġ`. Source: the GPT-2 encoder, `bytes_to_unicode`.
enum ByteAlphabet {
    /// The scalar of every byte.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (UInt32(0)..<256).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
            default:
                defer { next += 1 }
                return next
            }
        }
    }()

    /// The byte of every scalar below U+0144.
    private static let bytes: [UInt8?] = {
        var bytes = [UInt8?](repeating: nil, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = UInt8(byte) }
        return bytes
    }()

    /// The bytes that a token stands for; its own if a scalar of it is outside the alphabet.
    static func decoded(_ token: [UInt8]) -> [UInt8] {
        let text = token.span
        var result: [UInt8] = []
        var position = 0
        while position < token.count {
            let (scalar, length) = UTF8Bytes.scalar(in: text, at: position)
            guard scalar < bytes.count, let byte = bytes[Int(scalar)] else { return token }
            result.append(byte)
            position += length
        }
        return result
    }

    /// How a vocabulary writes a stretch of bytes.
    static func encoded(_ text: Span<UInt8>, in range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        for position in range { UTF8Bytes.append(scalars[Int(text[position])], to: &result) }
        return result
    }
}
