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
    func pieceEnd(in text: Span<UInt8>, from start: Int, to end: Int) -> Int {
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
