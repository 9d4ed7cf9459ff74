import Chat
import CommandSupport

/// Shows how much of a prompt is read, on the line where the answer will begin.
///
/// Shows nothing in the first two seconds, nor where notes go to no terminal.
struct ReadingLine {
    private let screen: Screen
    private let clock = ContinuousClock()
    private var start: ContinuousClock.Instant
    private var line: ProgressLine

    /// Begins to wait.
    ///
    /// - Parameter screen: Where to tell.
    init(_ screen: Screen) {
        self.screen = screen
        start = clock.now
        line = Self.line(on: screen)
    }

    /// Tells how far the reading is; one that is at its beginning is a new one.
    mutating func update(_ progress: ReadingProgress) {
        if progress.readTokens == 0 {
            clear()
            (start, line) = (clock.now, Self.line(on: screen))
        }
        let seconds = (clock.now - start) / .seconds(1)
        let speed = seconds > 0 ? Int(Double(progress.readTokens) / seconds) : 0
        line.update(
            done: progress.readTokens, total: progress.totalTokens, detail: "\(speed) tokens/s")
    }

    /// Removes what was told.
    mutating func clear() { line.clear() }

    private static func line(on screen: Screen) -> ProgressLine {
        ProgressLine("reading", columns: screen.width, isQuiet: !screen.notesAreSeen)
    }
}
