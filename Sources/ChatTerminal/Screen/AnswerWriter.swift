import CommandSupport

/// Writes an answer as it is made.
///
/// On a terminal without the space before its first word, which many models put there.
struct AnswerWriter {
    private let screen: Screen
    private var wrap: WordWrap?
    private var hasBegun = false
    private var isAtLineStart = true

    /// Begins an answer.
    ///
    /// - Parameters:
    ///   - screen: Where it goes.
    ///   - wraps: Whether lines are broken between words, on a terminal.
    init(_ screen: Screen, wraps: Bool) {
        self.screen = screen
        wrap = wraps && screen.isTerminal ? WordWrap(width: screen.width - 1) : nil
    }

    /// Writes the next piece: whole characters.
    mutating func push(_ text: String) {
        guard screen.isTerminal else { return write(text) }
        var text = PlainText.visible(text)
        if !hasBegun { text = String(text.drop { $0.isWhitespace }) }
        hasBegun = hasBegun || !text.isEmpty
        // The terminal may have another width by now.
        wrap?.width = max(screen.width - 1, 1)
        write(wrap?.push(text) ?? text)
    }

    /// Ends the answer, and its line.
    mutating func finish() {
        write(wrap?.finish() ?? "")
        if !isAtLineStart || !screen.isTerminal { screen.write("\n") }
    }

    private mutating func write(_ text: String) {
        guard let last = text.last else { return }
        screen.write(text)
        isAtLineStart = last == "\n"
    }
}
