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
        var hash = ByteHash()
        for byte in token { hash.combine(byte) }
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

/// A hash of a few bytes.
///
/// Source: FNV-1a, with a multiplicative finish.
struct ByteHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    @inline(__always)
    mutating func combine(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
    }

    /// The slot in a table whose size is a power of two.
    @inline(__always)
    func slot(in count: Int) -> Int {
        Int(truncatingIfNeeded: (value &* 0x9E37_79B9_7F4A_7C15) >> 32) & (count - 1)
    }
}
