/// How alike words are spelt.
package enum Spelling {
    /// The word that is spelt most like another, for "did you mean".
    ///
    /// Case, and whether words are joined by dashes or underscores, do not count. A few letters may be
    /// wrong, more in longer words; else a word counts that goes on from what was typed.
    ///
    /// - Parameters:
    ///   - word: What was typed.
    ///   - known: What could have been meant.
    /// - Returns: One of `known`, the first of equals; `nil` if none is like it.
    package static func nearest(to word: String, among known: [String]) -> String? {
        let typed = plain(word)
        guard !typed.isEmpty else { return nil }
        let close = known.map { (name: $0, distance: distance(plain($0), typed)) }
            .min { $0.distance < $1.distance }
        let tolerance = typed.count < 4 ? 1 : typed.count < 12 ? 2 : 3
        if let close, close.distance <= tolerance { return close.name }
        return known.first { typed.count > 1 && plain($0).hasPrefix(typed) }
    }

    private static func plain(_ word: String) -> String {
        String(word.prefix(64).lowercased().map { $0 == "_" ? "-" : $0 })
    }

    /// The least number of letters to insert, delete, replace or swap with their neighbour.
    ///
    /// Source: the optimal string alignment distance, by dynamic programming.
    /// - Complexity: O(*n*·*m*) for words of *n* and *m* letters.
    static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left), Array(right))
        var rows = [Array(0...b.count)]
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = min(rows[i][j + 1], row[j]) + 1
                least = min(least, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    least = min(least, rows[i - 1][j - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
