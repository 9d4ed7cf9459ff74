import Glibc
import Jinja

/// The time that a template is told by `strftime_now`, the same for all it writes.
public struct TemplateTime: Equatable, Sendable {
    let time: LocalTime

    /// The day that templates are told in training unless another is asked for.
    ///
    /// It is the day that the templates of Llama 3.1 take where they are told none.
    public static let fixedDate = "2024-07-26"
    /// Midnight of ``fixedDate``.
    public static let fixed = TemplateTime(LocalTime(year: 2024, month: 7, day: 26))
    /// The present time of this machine's time zone.
    public static var now: TemplateTime {
        var (seconds, parts) = (Glibc.time(nil), tm())
        localtime_r(&seconds, &parts)
        return TemplateTime(
            LocalTime(
                year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1,
                day: Int(parts.tm_mday), hour: Int(parts.tm_hour), minute: Int(parts.tm_min),
                second: Int(parts.tm_sec)))
    }

    /// Reads a day written as `2024-07-26`; nil for another text.
    ///
    /// - Parameter date: The text.
    public init?(date: String) {
        guard let time = LocalTime(date: date) else { return nil }
        self.init(time)
    }

    private init(_ time: LocalTime) { self.time = time }
}
