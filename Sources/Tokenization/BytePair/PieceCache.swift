/// Remembers the ids of pieces already encoded.
///
/// Begins small and doubles up to ``maximumCount`` pieces; once full it is emptied and begins anew,
/// so that memory stays below 6 MB whatever the text.
struct PieceCache {
    /// Longer pieces are not kept: they hardly come again.
    static let longestPiece = 32
    private static let maximumCount = 1 << 15

    private struct Entry {
        var hash: UInt32 = 0
        var keyStart: UInt32 = 0
        var idStart: UInt32 = 0
        var keyCount: UInt8 = 0
        var idCount: UInt8 = 0
    }

    private var entries = [Entry](repeating: Entry(), count: 64)
    private var count = 0
    private var keys: [UInt8] = []
    private var ids: [Int32] = []

    /// Appends the ids of a piece, if it is known.
    ///
    /// - Returns: Nil if it was; else where to put it, for ``insert(_:in:at:ids:)``.
    @inline(__always)
    func lookUp(
        _ text: Span<UInt8>, in range: Range<Int>, into result: inout [Int32]
    ) -> ByteHash? {
        var hash = ByteHash()
        for position in range { hash.combine(text[position]) }
        let entries = entries.span
        let tag = UInt32(truncatingIfNeeded: hash.value)
        var slot = hash.slot(in: entries.count)
        while true {
            let entry = entries[slot]
            if entry.keyCount == 0 { return hash }
            if entry.hash == tag, Int(entry.keyCount) == range.count,
                isKey(entry, text, at: range.lowerBound)
            {
                let start = Int(entry.idStart)
                for index in start..<(start + Int(entry.idCount)) { result.append(ids[index]) }
                return nil
            }
            slot = (slot + 1) & (entries.count - 1)
        }
    }

    /// Adds a piece that ``lookUp(_:in:into:)`` did not find.
    mutating func insert(
        _ text: Span<UInt8>, in range: Range<Int>, hash: ByteHash, ids newIDs: ArraySlice<Int32>
    ) {
        if count == Self.maximumCount { self = PieceCache() }
        if (count + 1) * 2 > entries.count { grow() }
        let entry = Entry(
            hash: UInt32(truncatingIfNeeded: hash.value), keyStart: UInt32(keys.count),
            idStart: UInt32(ids.count), keyCount: UInt8(range.count), idCount: UInt8(newIDs.count))
        for position in range { keys.append(text[position]) }
        ids += newIDs
        place(entry, from: hash.slot(in: entries.count))
        count += 1
    }

    private mutating func place(_ entry: Entry, from start: Int) {
        var slot = start
        while entries[slot].keyCount != 0 { slot = (slot + 1) & (entries.count - 1) }
        entries[slot] = entry
    }

    private mutating func grow() {
        let old = entries
        entries = [Entry](repeating: Entry(), count: old.count * 2)
        for entry in old where entry.keyCount != 0 {
            var hash = ByteHash()
            let start = Int(entry.keyStart)
            for byte in keys[start..<(start + Int(entry.keyCount))] { hash.combine(byte) }
            place(entry, from: hash.slot(in: entries.count))
        }
    }

    @inline(__always)
    private func isKey(_ entry: Entry, _ text: Span<UInt8>, at position: Int) -> Bool {
        let start = Int(entry.keyStart)
        let keys = keys.span
        for offset in 0..<Int(entry.keyCount)
        where keys[start + offset] != text[position + offset] {
            return false
        }
        return true
    }
}
