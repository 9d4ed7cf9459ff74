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

    @inline(__always)
    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private func slot(_ pair: UInt64) -> Int {
        Int(truncatingIfNeeded: (pair &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }
}
