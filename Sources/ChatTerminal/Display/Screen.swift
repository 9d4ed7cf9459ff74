import Chat
import CommandSupport
import Glibc

/// Where a session writes: answers and results to standard output, notes to standard error.
final class Screen {
    /// How lines look.
    enum Style: String {
        /// As any other text.
        case plain = ""
        /// What is beside the point.
        case faint = "2"
        /// A heading.
        case bold = "1"
        /// What invites to type.
        case prompt = "32"
        /// What went wrong.
        case error = "31"
    }

    /// Whether answers go to a terminal.
    let isTerminal: Bool
    /// Whether notes go to a terminal.
    let notesAreSeen: Bool
    /// Whether text may have a style.
    let hasStyles: Bool
    /// The error that ended the output; `nil` while it works.
    private(set) var failure: Int32?

    private let output: Int32
    let notes: Int32

    /// Creates a screen.
    ///
    /// - Parameters:
    ///   - output: The descriptor of answers and results.
    ///   - notes: The descriptor of notes.
    ///   - isDumb: Whether a terminal understands nothing but text.
    ///   - hasStyles: Whether text may have a style, if the terminal is not dumb.
    init(
        output: Int32 = STDOUT_FILENO, notes: Int32 = STDERR_FILENO, isDumb: Bool, hasStyles: Bool
    ) {
        self.output = output
        self.notes = notes
        isTerminal = isatty(output) == 1
        notesAreSeen = isatty(notes) == 1
        self.hasStyles = hasStyles && !isDumb
    }

    /// The columns of the terminal; 80 where that is not known.
    var width: Int {
        var size = winsize()
        for descriptor in [output, notes] {
            if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
                return Int(size.ws_col)
            }
        }
        return 80
    }

    /// The descriptor of a terminal that lines can be edited on; `nil` if nothing goes to one.
    var terminal: Int32? { isTerminal ? output : notesAreSeen ? notes : nil }

    /// Writes a part of an answer or result.
    func write(_ text: String) {
        guard failure == nil else { return }
        failure = Self.write(text, to: output)
    }

    /// Writes a line of a result.
    func line(_ text: String = "", style: Style = .plain) {
        write(isTerminal ? styled(text, style) + "\n" : text + "\n")
    }

    /// Writes a line for the person who waits; on a terminal as many lines as it needs.
    func note(_ text: String, style: Style = .faint) {
        guard notesAreSeen else { return noteRaw(text + "\n") }
        for line in WordWrap.lines(of: text, width: width - 1) {
            noteRaw(styled(line, style) + "\n")
        }
    }

    /// Writes text for the person who waits, as it is.
    func noteRaw(_ text: String) {
        // Nobody is left who could be told that notes fail.
        _ = Self.write(text, to: notes)
    }

    private func styled(_ text: String, _ style: Style) -> String {
        guard hasStyles, style != .plain, !text.isEmpty else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }

    /// Writes all of a text; the error if that fails.
    static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = retrying { Glibc.write(descriptor, rest.baseAddress, rest.count) }
                if count < 0, errno == EAGAIN {
                    // Another program has left the terminal so that it does not wait.
                    var file = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&file, 1, -1)
                } else if count < 0 {
                    return errno
                } else {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                }
            }
            return nil
        }
    }
}

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

/// Shows how much of a prompt is read, on the line where the answer will begin.
///
/// Shows nothing in the first two seconds.
public struct ReadingLine {
    private let columns: Int
    private let isQuiet: Bool
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var line: ProgressLine

    /// Begins to wait.
    ///
    /// - Parameters:
    ///   - columns: The terminal's width; what does not fit is left out.
    ///   - isQuiet: Whether nothing is shown, as where standard error is no terminal.
    public init(columns: Int = .max, isQuiet: Bool) {
        self.columns = columns
        self.isQuiet = isQuiet
        start = clock.now
        line = ProgressLine("reading", columns: columns, isQuiet: isQuiet)
    }

    /// Tells how far the reading is; one that is at its beginning is a new one.
    public mutating func update(_ progress: ReadingProgress) {
        if progress.readTokens == 0 {
            clear()
            self = ReadingLine(columns: columns, isQuiet: isQuiet)
        }
        let seconds = (clock.now - start) / .seconds(1)
        let speed = seconds > 0 ? Int(Double(progress.readTokens) / seconds) : 0
        line.update(
            done: progress.readTokens, total: progress.totalTokens, detail: "\(speed) tokens/s")
    }

    /// Removes what was told.
    public mutating func clear() { line.clear() }
}

extension ReadingLine {
    /// Begins to wait, on a conversation's screen.
    init(_ screen: Screen) { self.init(columns: screen.width, isQuiet: !screen.notesAreSeen) }
}
