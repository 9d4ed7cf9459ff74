import Storage

/// Encodes text after text for one ``BytePairTokenizer``, remembering pieces.
///
/// Ours, because ids must be those of the reference library, tie by tie, and it has no interface to C.
final class BytePairEncoder: TokenEncoder {
    private var session: Session

    init(_ tokenizer: BytePairTokenizer, recognisesSpecialTokens: Bool) {
        session = Session(tokenizer: tokenizer, recognisesSpecialTokens: recognisesSpecialTokens)
    }

    func encode(_ utf8: [UInt8], into ids: inout [Int32]) {
        session.encode(UTF8Bytes.repaired(utf8), into: &ids)
    }
}

/// A value, so that its parts are reached without a check for every access.
private struct Session {
    let tokenizer: BytePairTokenizer
    let recognisesSpecialTokens: Bool
    let scanner = PieceScanner()
    var cache = PieceCache()

    mutating func encode(_ bytes: [UInt8], into ids: inout [Int32]) {
        let pieces = tokenizer.rawMatcher.pieces(
            of: bytes.span, in: bytes.indices, recognisingSpecialTokens: recognisesSpecialTokens)
        for piece in pieces {
            if let id = piece.id {
                ids.append(id)
            } else if tokenizer.composes,
                let text = CanonicalComposition.shared.normalized(bytes, in: piece.range)
            {
                encodeNormalized(text, in: text.indices, into: &ids)
            } else {
                encodeNormalized(bytes, in: piece.range, into: &ids)
            }
        }
    }

    private mutating func encodeNormalized(
        _ bytes: [UInt8], in range: Range<Int>, into ids: inout [Int32]
    ) {
        if tokenizer.normalizedMatcher.isEmpty {
            encodeText(bytes, in: range, into: &ids)
            return
        }
        let pieces = tokenizer.normalizedMatcher.pieces(
            of: bytes.span, in: range, recognisingSpecialTokens: recognisesSpecialTokens)
        for piece in pieces {
            if let id = piece.id {
                ids.append(id)
            } else {
                encodeText(bytes, in: piece.range, into: &ids)
            }
        }
    }

    private mutating func encodeText(
        _ bytes: [UInt8], in range: Range<Int>, into ids: inout [Int32]
    ) {
        let space = UInt8(ascii: " ")
        if tokenizer.addsPrefixSpace, bytes[range.lowerBound] != space {
            let prefixed = [space] + bytes[range]
            encodePieces(of: prefixed.span, in: prefixed.indices, into: &ids)
        } else {
            encodePieces(of: bytes.span, in: range, into: &ids)
        }
    }

    private mutating func encodePieces(
        of text: Span<UInt8>, in range: Range<Int>, into ids: inout [Int32]
    ) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end =
                tokenizer.splits
                ? scanner.pieceEnd(in: text, from: start, to: range.upperBound)
                : range.upperBound
            encodePiece(of: text, in: start..<end, into: &ids)
            start = end
        }
    }

    @inline(__always)
    private mutating func encodePiece(
        of text: Span<UInt8>, in range: Range<Int>, into ids: inout [Int32]
    ) {
        guard range.count <= PieceCache.longestPiece else {
            tokenizer.model.encode(text, in: range, into: &ids)
            return
        }
        guard let hash = cache.lookUp(text, in: range, into: &ids) else { return }
        let before = ids.count
        tokenizer.model.encode(text, in: range, into: &ids)
        cache.insert(text, in: range, hash: hash, ids: ids[before...])
    }
}

/// Joins the symbols of a long piece, the best pair taken from a heap.
///
/// Symbols are a linked list; a pair that changes is pushed anew, and what is stale when it comes
/// up is dropped. Ties go to the leftmost, as in a scan.
///
/// - Complexity: n log n for n symbols.
struct SymbolQueue {
    private var symbols: [Int32]
    /// The rank of a symbol with its right neighbour, to tell stale pairs; `Int32.max` if none.
    private var ranks: [Int32]
    private var next: [Int32]
    private var previous: [Int32]
    /// A binary heap of rank, then place.
    private var heap: [UInt64] = []

    /// Appends what symbols become when all joins are made.
    static func join(_ symbols: [Int32], by merges: MergeTable, into ids: inout [Int32]) {
        guard symbols.count > 1 else {
            ids += symbols
            return
        }
        var queue = SymbolQueue(symbols)
        queue.run(merges)
        var index: Int32 = 0
        while index >= 0 {
            ids.append(queue.symbols[Int(index)])
            index = queue.next[Int(index)]
        }
    }

    private init(_ symbols: [Int32]) {
        let count = Int32(symbols.count)
        self.symbols = symbols
        ranks = [Int32](repeating: Int32.max, count: symbols.count)
        next = (1...count).map { $0 < count ? $0 : -1 }
        previous = (0..<count).map { $0 - 1 }
    }

    private mutating func run(_ merges: MergeTable) {
        heap.reserveCapacity(symbols.count)
        for index in 0..<(symbols.count - 1) { rank(Int32(index), merges) }
        while let best = pop() {
            let index = Int(best & 0xFFFF_FFFF)
            let right = next[index]
            // A pair is stale if a neighbour changed since, or if its left symbol was joined.
            guard ranks[index] == Int32(best >> 32), right >= 0 else { continue }
            symbols[index] = merges.merge(symbols[index], symbols[Int(right)]).joined
            ranks[Int(right)] = Int32.max
            let after = next[Int(right)]
            next[index] = after
            if after >= 0 { previous[Int(after)] = Int32(index) }
            rank(Int32(index), merges)
            if previous[index] >= 0 { rank(previous[index], merges) }
        }
    }

    /// Looks up the pair that begins at a symbol, and queues it if it joins.
    private mutating func rank(_ index: Int32, _ merges: MergeTable) {
        let right = next[Int(index)]
        let rank =
            right < 0 ? Int32.max : merges.merge(symbols[Int(index)], symbols[Int(right)]).rank
        ranks[Int(index)] = rank
        if rank != Int32.max { push(UInt64(rank) << 32 | UInt64(index)) }
    }

    private mutating func push(_ key: UInt64) {
        heap.append(key)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent] <= key { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = key
    }

    private mutating func pop() -> UInt64? {
        guard let first = heap.first else { return nil }
        let key = heap.removeLast()
        if heap.isEmpty { return first }
        var parent = 0
        while true {
            var child = parent * 2 + 1
            if child >= heap.count { break }
            if child + 1 < heap.count && heap[child + 1] < heap[child] { child += 1 }
            if heap[child] >= key { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = key
        return first
    }
}

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
    ) -> FNV1a? {
        var hash = FNV1a()
        for position in range { hash.combine(UInt64(text[position])) }
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
        _ text: Span<UInt8>, in range: Range<Int>, hash: FNV1a, ids newIDs: ArraySlice<Int32>
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
            var hash = FNV1a()
            let start = Int(entry.keyStart)
            for byte in keys[start..<(start + Int(entry.keyCount))] { hash.combine(UInt64(byte)) }
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

/// Splits text into the pieces that byte pair encoding never joins.
///
/// A scanner by hand of the pattern of GPT-2:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// The last two alternatives give back the last white space of a run that text follows: a space
/// then begins the next piece, and other white space is a piece of its own.
struct PieceScanner {
    private let classes = ScalarClasses.shared

    /// Where the piece that begins at a position ends.
    ///
    /// - Parameters:
    ///   - text: Well-formed UTF-8.
    ///   - start: The position, less than `end`.
    ///   - end: Where the text ends for the pattern.
    /// - Returns: The end, greater than `start`.
    @inline(__always)
    fileprivate func pieceEnd(in text: Span<UInt8>, from start: Int, to end: Int) -> Int {
        let byte = text[start]
        if byte == UInt8(ascii: "'"), let end = contractionEnd(in: text, from: start, to: end) {
            return end
        }
        let (first, length) = classes.scalarClass(in: text, at: start)
        let kind = first.intersection(.splitting)
        if kind != .space { return runEnd(of: kind, in: text, from: start + length, to: end) }
        if byte == UInt8(ascii: " "), start + 1 < end {
            let (second, length) = classes.scalarClass(in: text, at: start + 1)
            let kind = second.intersection(.splitting)
            if kind != .space {
                return runEnd(of: kind, in: text, from: start + 1 + length, to: end)
            }
        }
        var last = start
        var position = start + length
        while position < end {
            let (next, length) = classes.scalarClass(in: text, at: position)
            if !next.contains(.space) { return last == start ? position : last }
            last = position
            position += length
        }
        return end
    }

    @inline(__always)
    private func runEnd(
        of kind: ScalarClass, in text: Span<UInt8>, from start: Int, to end: Int
    ) -> Int {
        var position = start
        while position < end {
            let (next, length) = classes.scalarClass(in: text, at: position)
            if next.intersection(.splitting) != kind { break }
            position += length
        }
        return position
    }

    private func contractionEnd(in text: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        guard start + 1 < end else { return nil }
        let third = start + 2 < end ? text[start + 2] : 0
        switch (text[start + 1], third) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _),
            (UInt8(ascii: "d"), _):
            return start + 2
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 3
        default:
            return nil
        }
    }
}
