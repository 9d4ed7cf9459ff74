/// Breaks a text into lines between words, as it comes.
///
/// A word is held back until it is known to be complete, so that nothing written has to be taken
/// back. Characters of two columns, as Chinese ones, are words of their own.
///
///     var wrap = WordWrap(width: 79)
///     for piece in pieces { print(wrap.push(piece), terminator: "") }
///     print(wrap.finish())
package struct WordWrap {
    /// The columns of a line, at least 1.
    package var width: Int
    private var column = 0
    private var spaces = ""
    private var word = ""
    private var wordWidth = 0

    /// Begins a text at the left margin.
    package init(width: Int) { self.width = max(width, 1) }

    /// Takes a piece of the text.
    ///
    /// - Returns: What can be written.
    package mutating func push(_ text: String) -> String {
        var output = ""
        for character in text { push(character, to: &output) }
        return output
    }

    /// Ends the text.
    ///
    /// - Returns: What was held back.
    package mutating func finish() -> String {
        var output = ""
        endWord(&output)
        output += spaces
        column = 0
        spaces = ""
        return output
    }

    private mutating func push(_ character: Character, to output: inout String) {
        switch character {
        case "\n":
            endWord(&output)
            output.append("\n")
            column = 0
            spaces = ""
        case "\t":
            endWord(&output)
            let place = column + spaces.count
            spaces += String(repeating: " ", count: 8 - place % 8)
        case " ":
            endWord(&output)
            spaces.append(" ")
        default:
            let columns = DisplayWidth.of(character)
            if columns == 2 || wordWidth + columns > width { endWord(&output) }
            word.append(character)
            wordWidth += columns
            if columns == 2 { endWord(&output) }
        }
    }

    private mutating func endWord(_ output: inout String) {
        guard !word.isEmpty else { return }
        if column + spaces.count + wordWidth > width, column > 0 || spaces.count >= width {
            output.append("\n")
            column = 0
        } else {
            output += spaces
            column += spaces.count
        }
        output += word
        column += wordWidth
        spaces = ""
        word = ""
        wordWidth = 0
    }
}

extension WordWrap {
    /// The lines of a whole text.
    package static func lines(of text: String, width: Int) -> [String] {
        var wrap = WordWrap(width: width)
        let wrapped = wrap.push(text) + wrap.finish()
        return wrapped.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}

/// The columns that text takes on a terminal.
///
/// Source: Unicode Standard Annex 11 (wide and full-width characters take two columns) and
/// Unicode Technical Standard 51 (so do emoji). Ambiguous characters take one. Does not depend on
/// the locale, unlike `wcwidth`.
package enum DisplayWidth {
    /// The columns of a text without control characters.
    package static func of(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + of($1) }
    }

    /// The columns of a character: 0 to 2.
    package static func of(_ character: Character) -> Int {
        var width = 0
        for scalar in character.unicodeScalars {
            // The selector asks for the coloured form of a character that has a plain one.
            if scalar.value == 0xFE0F, width == 1 { return 2 }
            width += of(scalar)
        }
        return min(width, 2)
    }

    private static func of(_ scalar: Unicode.Scalar) -> Int {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F ? 0 : 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control, .lineSeparator,
            .paragraphSeparator:
            // A soft hyphen is a format character, and visible.
            return scalar.value == 0xAD ? 1 : 0
        default: break
        }
        // The vowels and final consonants that join a Hangul syllable.
        if (0x1160...0x11FF).contains(scalar.value) { return 0 }
        return scalar.properties.isEmojiPresentation || isWide(scalar.value) ? 2 : 1
    }

    private static func isWide(_ value: UInt32) -> Bool {
        guard value >= 0x1100, let last = wide.last(where: { $0.lowerBound <= value }) else {
            return false
        }
        return last.contains(value)
    }

    /// Wide and full-width characters, in order; unassigned ones between them included.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF,
        0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19,
        0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18CFF, 0x1AFF0...0x1B2FF,
        0x1F200...0x1F265, 0x20000...0x2FFFD, 0x30000...0x3FFFD,
    ]
}
