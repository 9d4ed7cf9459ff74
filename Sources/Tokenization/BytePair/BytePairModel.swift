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
