/// A date and time of day, given by the caller to templates that print the date.
public struct LocalTime: Sendable, Equatable {
    /// The year, in the Gregorian calendar.
    public var year: Int
    /// The month, from 1 to 12.
    public var month: Int
    /// The day of the month, from 1.
    public var day: Int
    /// The hour, from 0 to 23.
    public var hour: Int
    /// The minute, from 0 to 59.
    public var minute: Int
    /// The second, from 0 to 60.
    public var second: Int

    /// Creates a time from its parts.
    ///
    /// - Parameters:
    ///   - year: The year, from 1 to 9999.
    ///   - month: The month, from 1 to 12.
    ///   - day: The day of the month, from 1.
    ///   - hour: The hour, from 0 to 23.
    ///   - minute: The minute, from 0 to 59.
    ///   - second: The second, from 0 to 60.
    public init(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
    ) {
        precondition((1...9999).contains(year), "year is \(year), expected 1 to 9999")
        precondition((1...12).contains(month), "month is \(month), expected 1 to 12")
        precondition((1...31).contains(day), "day is \(day), expected 1 to 31")
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// Reads a day written as `2024-07-26`; nil for another text, or a day that no month has.
    ///
    /// - Parameter date: The text.
    public init?(date: String) {
        let parts = date.split(separator: "-", omittingEmptySubsequences: false).map { part in
            part.allSatisfy { ("0"..."9").contains($0) } ? Int(part) : nil
        }
        let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard date.utf8.count == 10, parts.count == 3, let year = parts[0], let month = parts[1],
            let day = parts[2], (1...9999).contains(year), (1...12).contains(month),
            (1...lengths[month - 1]).contains(day)
        else { return nil }
        self.init(year: year, month: month, day: day)
        if month == 2, day == 29, !isLeap { return nil }
    }

    /// Formats the time as C's `strftime` does in the English of the C locale.
    ///
    /// Known directives: `%a %A %b %B %d %e %H %I %j %m %M %p %S %y %Y %F %T %%`, and GNU's `%-d`
    /// family, which drops leading zeros.
    func formatted(_ format: String) throws -> String {
        var result = ""
        var scalars = format.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            var directive = scalars.next()
            let dropsZeros = directive == "-"
            if dropsZeros { directive = scalars.next() }
            guard let directive, let text = field(directive, padded: !dropsZeros) else {
                let name = "%" + (dropsZeros ? "-" : "") + (directive.map { String($0) } ?? "")
                throw Reason.unsupported("strftime directive '\(name)'")
            }
            result += text
        }
        return result
    }

    private func field(_ directive: Unicode.Scalar, padded: Bool) -> String? {
        func number(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return padded
                ? String(repeating: "0", count: max(0, width - digits.count)) + digits : digits
        }
        let twelve = hour % 12 == 0 ? 12 : hour % 12
        switch directive {
        case "d": return number(day, 2)
        case "m": return number(month, 2)
        case "H": return number(hour, 2)
        case "I": return number(twelve, 2)
        case "M": return number(minute, 2)
        case "S": return number(second, 2)
        case "y": return number(year % 100, 2)
        case "j": return number(dayOfYear, 3)
        case _ where !padded: return nil
        case "e": return day < 10 ? " \(day)" : "\(day)"
        case "Y": return String(year)
        case "a": return String(Self.days[weekday].prefix(3))
        case "A": return Self.days[weekday]
        case "b": return String(Self.months[month - 1].prefix(3))
        case "B": return Self.months[month - 1]
        case "p": return hour < 12 ? "AM" : "PM"
        case "F": return "\(year)-\(number(month, 2))-\(number(day, 2))"
        case "T": return "\(number(hour, 2)):\(number(minute, 2)):\(number(second, 2))"
        case "%": return "%"
        default: return nil
        }
    }

    private var isLeap: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private var dayOfYear: Int {
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
        return before[month - 1] + day + (isLeap && month > 2 ? 1 : 0)
    }

    /// Day of the week, Sunday being 0.
    private var weekday: Int {
        let past = year - 1
        return (past * 365 + past / 4 - past / 100 + past / 400 + dayOfYear) % 7
    }

    private static let days = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]
}
