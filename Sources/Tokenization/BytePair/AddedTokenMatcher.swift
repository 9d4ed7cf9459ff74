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

/// A token that is looked for in the text before anything else is done to it.
struct AddedToken: Equatable {
    /// The most of a tokenizer; the largest in use have some 6,000.
    static let limit = 100_000

    /// Its text as the file gives it.
    let content: [UInt8]
    var id: Int32
    /// Whether it stands for no text of its own.
    var isSpecial: Bool
    /// Whether it is looked for in the normalised text, itself normalised.
    let isNormalized: Bool
    /// Whether it takes white space on its left with it.
    let stripsLeft: Bool
    /// Whether it takes white space on its right with it.
    let stripsRight: Bool
    /// Whether it only counts between scalars that are not `\w`.
    let isSingleWord: Bool
}

/// Byte strings by their beginnings, each with a number.
///
/// First bytes are looked up in a table, later ones in lists of siblings, which are short for
/// tokens.
struct ByteTrie {
    private struct Node {
        var byte: UInt8
        var value: Int32 = -1
        var child: Int32 = -1
        var sibling: Int32 = -1
    }

    private var nodes: [Node] = []
    private var roots = [Int32](repeating: -1, count: 256)

    /// Adds a string that is not empty; the last number of a string holds.
    ///
    /// - Parameters:
    ///   - string: The string.
    ///   - value: Its number, not negative.
    mutating func insert(_ string: [UInt8], value: Int32) {
        var node: Int32 = -1
        for byte in string { node = self.node(for: byte, below: node) }
        if node >= 0 { nodes[Int(node)].value = value }
    }

    /// Calls a body with every string that a text begins with, the shortest first.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - start: Where it begins.
    ///   - limit: Where it ends.
    ///   - body: Is given the string's number and where it ends in the text.
    @inline(__always)
    func forEachMatch(
        in text: Span<UInt8>, from start: Int, to limit: Int, _ body: (Int32, Int) -> Void
    ) {
        let nodes = nodes.span
        var node = roots[Int(text[start])]
        var position = start
        while node >= 0 {
            position += 1
            let current = nodes[Int(node)]
            if current.value >= 0 { body(current.value, position) }
            guard position < limit else { break }
            node = current.child
            while node >= 0 && nodes[Int(node)].byte != text[position] {
                node = nodes[Int(node)].sibling
            }
        }
    }

    /// The node of a byte below another, made if need be; below -1 is the root.
    private mutating func node(for byte: UInt8, below parent: Int32) -> Int32 {
        let first = parent < 0 ? roots[Int(byte)] : nodes[Int(parent)].child
        var node = first
        while node >= 0 && nodes[Int(node)].byte != byte { node = nodes[Int(node)].sibling }
        if node >= 0 { return node }
        let new = Int32(nodes.count)
        nodes.append(Node(byte: byte, sibling: parent < 0 ? -1 : first))
        if parent < 0 {
            roots[Int(byte)] = new
        } else {
            nodes[Int(parent)].child = new
        }
        return new
    }
}
