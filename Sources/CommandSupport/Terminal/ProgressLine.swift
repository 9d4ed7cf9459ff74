/// How far a long piece of work is: one line rewritten on a terminal, a line now and then elsewhere.
///
/// Shows nothing in the first two seconds.
public struct ProgressLine {
    private let label: String
    private let columns: Int
    private let isQuiet: Bool
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var lastShown: ContinuousClock.Instant?
    private var width = 0

    /// Begins a piece of work.
    ///
    /// - Parameters:
    ///   - label: What is being done.
    ///   - columns: The terminal's width; a bar that does not fit is left out, and a line is cut.
    ///   - isQuiet: Whether nothing is shown.
    public init(_ label: String, columns: Int = .max, isQuiet: Bool = false) {
        self.label = label
        self.columns = columns
        self.isQuiet = isQuiet
        start = clock.now
    }

    /// Tells how much is done.
    ///
    /// - Parameters:
    ///   - done: The finished part.
    ///   - total: The whole, in the same unit.
    ///   - detail: What else is worth knowing.
    ///   - remaining: The time left; estimated from the time taken so far if `nil`.
    public mutating func update(
        done: Int, total: Int, detail: String = "", remaining: Duration? = nil
    ) {
        let now = clock.now
        let elapsed = now - start
        let pause: Duration = Terminal.isInteractive ? .milliseconds(200) : .seconds(10)
        guard !isQuiet, elapsed > .seconds(2), lastShown.map({ now - $0 > pause }) ?? true else {
            return
        }
        lastShown = now
        let fraction = total > 0 ? Double(done) / Double(total) : 0
        let left = remaining ?? (done > 0 ? elapsed * (Double(total - done) / Double(done)) : nil)
        let parts = [
            "\(label) \(done)/\(total)", "\(Int(fraction * 100))%", detail,
            left.map { "\(Self.text($0)) left" } ?? "",
        ].filter { !$0.isEmpty }
        show(parts.joined(separator: ", "), behind: Self.bar(fraction))
    }

    /// Removes the line from a terminal, so that other text can be written.
    public mutating func clear() {
        guard Terminal.isInteractive, width > 0 else { return }
        Terminal.printRaw("\r" + String(repeating: " ", count: width) + "\r")
        width = 0
    }

    private mutating func show(_ text: String, behind bar: String) {
        guard Terminal.isInteractive else { return Terminal.printNote(text) }
        // The last column stays empty: a line that fills it may go on in the next.
        let isWide = bar.count + text.count < columns
        let line = String((isWide ? bar + text : text).prefix(max(columns - 1, 0)))
        let padding = String(repeating: " ", count: max(0, width - line.count))
        Terminal.printRaw("\r" + line + padding)
        width = line.count
    }

    private static func bar(_ fraction: Double) -> String {
        let filled = Int(min(max(fraction, 0), 1) * 20)
        return "[" + String(repeating: "#", count: filled)
            + String(repeating: ".", count: 20 - filled) + "] "
    }

    /// A duration as people say it: `42 s`, `3 min 20 s`, `2 h 5 min`.
    public static func text(_ duration: Duration) -> String {
        let seconds = Int(max(0, duration.components.seconds))
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min \(seconds % 60) s"
        default: return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        }
    }
}
