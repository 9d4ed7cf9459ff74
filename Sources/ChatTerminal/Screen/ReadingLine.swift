import Chat
import CommandSupport

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
        (self.columns, self.isQuiet) = (columns, isQuiet)
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
