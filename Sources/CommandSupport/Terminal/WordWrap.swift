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
        (column, spaces) = (0, "")
        return output
    }

    private mutating func push(_ character: Character, to output: inout String) {
        switch character {
        case "\n":
            endWord(&output)
            output.append("\n")
            (column, spaces) = (0, "")
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
        (spaces, word, wordWidth) = ("", "", 0)
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
