/// The normaliser's table in a SentencePiece model, checked before the library walks it.
///
/// The library follows the table without looking where it leads, so a damaged one makes it read
/// outside of it. Layout: the trie's size in bytes, a Darts-clone double array of 32-bit units, then
/// the replacements, each ended by a zero byte.
enum CharacterMap {
    /// Whether every step from every unit stays inside the table.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - range: Where the table lies; empty for none.
    /// - Returns: Whether the library may walk it.
    static func isSound(_ bytes: [UInt8], in range: Range<Int>) -> Bool {
        if range.isEmpty { return true }
        let table = bytes[range]
        guard table.count >= 4, table.last == 0 else { return false }
        func word(at offset: Int) -> UInt32 {
            let start = range.lowerBound + offset
            return bytes[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        let trieBytes = Int(word(at: 0))
        guard trieBytes >= 4, trieBytes % 4 == 0, trieBytes < table.count - 4 else { return false }
        let count = trieBytes / 4
        let replacements = table.count - 4 - trieBytes
        return (0..<count).allSatisfy { index in
            let unit = word(at: 4 + index * 4)
            // The top bit marks a value; other units give the exclusive-or distance to their
            // children, of which there is one for each byte.
            if unit >> 31 == 1 { return Int(unit & 0x7FFF_FFFF) < replacements }
            let distance = Int((unit >> 10) << ((unit & (1 << 9)) >> 6))
            return (index ^ distance) | 0xFF < count
        }
    }
}
