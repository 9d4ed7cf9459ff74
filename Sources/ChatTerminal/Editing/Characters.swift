/// What people take for one character, in a line of Unicode scalars.
///
/// Source: Unicode Standard Annex 29, extended grapheme clusters, as Swift's `Character` has them.
enum Characters {
    /// How many scalars the character beside the cursor has.
    ///
    /// - Parameters:
    ///   - line: The line.
    ///   - cursor: How many scalars are before the cursor.
    ///   - isBackward: Whether the character before the cursor is meant, not the one behind it.
    /// - Returns: The number; 0 at the line's beginning or end. Of a character with the cursor in it,
    ///   those on the side that is meant.
    static func length(
        in line: some RandomAccessCollection<UInt32>, beside cursor: Int, isBackward: Bool
    ) -> Int {
        // Where a character begins may depend on all before it, as of flags, but hardly beyond this.
        let reach = 64
        let part =
            isBackward ? line.prefix(cursor).suffix(reach) : line.dropFirst(cursor).prefix(reach)
        var scalars = String.UnicodeScalarView()
        // What is no scalar is one character.
        scalars.append(contentsOf: part.lazy.map { Unicode.Scalar($0) ?? "\u{FFFD}" })
        let text = String(scalars)
        return (isBackward ? text.last : text.first)?.unicodeScalars.count ?? 0
    }
}
