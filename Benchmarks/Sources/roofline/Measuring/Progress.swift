import Glibc

/// Tells on standard error what was measured.
struct Progress {
    private let start = ContinuousClock.now

    /// A line of the time since the start, what was measured, its time and share of the limit.
    func show(_ what: String, _ seconds: Double, _ limit: Double? = nil) {
        let elapsed = start.duration(to: .now).components.seconds
        let share = limit.map { ", \(Int((100 * $0 / seconds).rounded())) % of the limit" } ?? ""
        say("[\(elapsed) s] \(what): \(Self.text(seconds))\(share)")
    }

    /// A line of its own.
    func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    /// Seconds with three digits and a fitting unit.
    static func text(_ seconds: Double) -> String {
        let (value, unit) =
            seconds >= 1
            ? (seconds, "s") : seconds >= 1e-3 ? (seconds * 1e3, "ms") : (seconds * 1e6, "µs")
        let scale = value >= 100 ? 1.0 : value >= 10 ? 10 : 100
        return "\((value * scale).rounded() / scale) \(unit)"
    }
}
