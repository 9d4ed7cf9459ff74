import Glibc

/// Numbers as people read them.
enum FigureText {
    /// A number with some significant digits, large ones with commas, very large and very small ones with
    /// an exponent: `14,256`, `0.3714`, `3.75e-5`.
    static func short(_ value: Double, digits: Int = 4) -> String {
        guard value.isFinite else { return value.isNaN ? "not a number" : "infinite" }
        guard value != 0 else { return "0" }
        let exponent = magnitude(value, digits: digits)
        guard (-4..<9).contains(exponent) else {
            let mantissa = value / pow(10, Double(exponent))
            return trimmed(fixed(mantissa, decimals: digits - 1)) + "e\(exponent)"
        }
        return trimmed(fixed(value, decimals: max(0, digits - 1 - exponent)))
    }

    /// A number with so many decimals, and commas between thousands.
    static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return short(value) }
        let places = min(max(decimals, 0), 15)
        let scale = pow(10, Double(places))
        guard abs(value) * scale < 9e15 else { return fixed(value, decimals: places - 1) }
        let scaled = UInt64((abs(value) * scale).rounded(.toNearestOrEven))
        let (whole, part) = scaled.quotientAndRemainder(dividingBy: UInt64(scale))
        let digits = String(part)
        let fraction =
            places == 0 ? "" : "." + String(repeating: "0", count: places - digits.count) + digits
        return (value < 0 && scaled > 0 ? "−" : "") + grouped(whole) + fraction
    }

    /// A whole number with commas between thousands.
    static func count(_ value: Int) -> String { (value < 0 ? "−" : "") + grouped(value.magnitude) }

    /// A number of things: `1 token`, `2 tokens`.
    static func count(_ value: Int, _ thing: String, plural: String? = nil) -> String {
        "\(count(value)) \(value == 1 ? thing : plural ?? thing + "s")"
    }

    /// A share as a percentage with one decimal.
    static func percent(_ share: Double) -> String { fixed(100 * share, decimals: 1) + " %" }

    /// Bytes in the largest unit that leaves at least one of it.
    static func bytes(_ value: Double) -> String {
        let (scale, unit) = byteUnit(for: value)
        return short(value / scale, digits: 3) + " " + unit
    }

    /// The unit for bytes up to so many.
    static func byteUnit(for largest: Double) -> (scale: Double, name: String) {
        largest >= 0x1p30 ? (0x1p30, "GiB") : (0x1p20, "MiB")
    }

    /// A time as people say it: `42 s`, `3 min 20 s`, `2 h 5 min`.
    static func duration(seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e12 else { return "unknown" }
        let whole = Int(max(0, seconds).rounded())
        switch whole {
        case ..<10: return fixed(max(0, seconds), decimals: 1) + " s"
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min \(whole % 60) s"
        default: return "\(count(whole / 3600)) h \(whole % 3600 / 60) min"
        }
    }

    /// The place of the first digit, after rounding to so many.
    private static func magnitude(_ value: Double, digits: Int) -> Int {
        let exponent = Int(log10(abs(value)).rounded(.down))
        let scale = pow(10, Double(exponent - digits + 1))
        guard scale > 0, scale.isFinite else { return exponent }
        let rounded = (abs(value) / scale).rounded() * scale
        return Int((log10(rounded) + 1e-12).rounded(.down))
    }

    private static func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var text = Substring(text)
        while text.hasSuffix("0") { text.removeLast() }
        return String(text.hasSuffix(".") ? text.dropLast() : text)
    }

    private static func grouped(_ value: some BinaryInteger) -> String {
        let digits = Array(String(value))
        return digits.indices.reduce(into: "") { text, place in
            if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
            text.append(digits[place])
        }
    }
}
