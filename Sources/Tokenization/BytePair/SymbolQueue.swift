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
