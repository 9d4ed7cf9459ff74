/// Finds added tokens: the leftmost, of these the longest, then on from its end.
///
/// Source: `AddedVocabulary::find_matches` of the tokenizers library. As there, a match that its
/// flags then rule out still uses up its text, and white space taken by a match is not kept from
/// the next one.
struct AddedTokenMatcher {
    /// A stretch of text: a token, or text between tokens.
    struct Piece {
        let range: Range<Int>
        let id: Int32?
    }

    private let tokens: [AddedToken]
    private var trie = ByteTrie()
    private let classes = ScalarClasses.shared

    /// Whether there is nothing to find.
    var isEmpty: Bool { tokens.isEmpty }

    /// Builds a matcher.
    ///
    /// - Parameter patterns: Tokens and the text to find, not empty, each text once.
    init(_ patterns: [(token: AddedToken, text: [UInt8])]) {
        tokens = patterns.map(\.token)
        for (index, pattern) in patterns.enumerated() {
            trie.insert(pattern.text, value: Int32(index))
        }
    }

    /// Cuts a stretch of text into tokens and what is between them.
    ///
    /// - Parameters:
    ///   - text: Well-formed UTF-8.
    ///   - range: The stretch.
    ///   - recognisesSpecial: Whether special tokens count.
    /// - Returns: The pieces in order, none empty.
    func pieces(
        of text: Span<UInt8>, in range: Range<Int>, recognisingSpecialTokens recognisesSpecial: Bool
    ) -> [Piece] {
        var pieces: [Piece] = []
        var done = range.lowerBound
        var position = range.lowerBound
        while position < range.upperBound {
            var match: (index: Int32, end: Int)?
            trie.forEachMatch(in: text, from: position, to: range.upperBound) { index, end in
                match = (index, end)
            }
            guard let (index, matchEnd) = match else {
                position += 1
                continue
            }
            let token = tokens[Int(index)]
            var start = position
            var end = matchEnd
            position = matchEnd
            if token.isSpecial && !recognisesSpecial { continue }
            if token.isSingleWord && !isSingleWord(start..<end, of: text, in: range) { continue }
            if token.stripsRight { end = spaceEnd(from: end, to: range.upperBound, in: text) }
            if token.stripsLeft {
                start = min(spaceStart(before: start, downTo: done, in: text), end)
            }
            if done < start { pieces.append(Piece(range: done..<start, id: nil)) }
            pieces.append(Piece(range: start..<end, id: token.id))
            done = end
        }
        if done < range.upperBound {
            pieces.append(Piece(range: done..<range.upperBound, id: nil))
        }
        return pieces
    }

    private func isSingleWord(
        _ match: Range<Int>, of text: Span<UInt8>, in range: Range<Int>
    ) -> Bool {
        if match.lowerBound > range.lowerBound {
            let before = UTF8Bytes.start(before: match.lowerBound, in: text)
            if classes.scalarClass(in: text, at: before).scalarClass.contains(.word) {
                return false
            }
        }
        return match.upperBound == range.upperBound
            || !classes.scalarClass(in: text, at: match.upperBound).scalarClass.contains(.word)
    }

    private func spaceStart(before end: Int, downTo limit: Int, in text: Span<UInt8>) -> Int {
        var start = end
        while start > limit {
            let before = UTF8Bytes.start(before: start, in: text)
            guard classes.scalarClass(in: text, at: before).scalarClass.contains(.space) else {
                break
            }
            start = before
        }
        // The match before may have taken white space beyond `end`.
        return max(start, limit)
    }

    private func spaceEnd(from start: Int, to limit: Int, in text: Span<UInt8>) -> Int {
        var end = start
        while end < limit {
            let (scalarClass, length) = classes.scalarClass(in: text, at: end)
            guard scalarClass.contains(.space) else { break }
            end += length
        }
        return end
    }
}
