import Python

/// How one value is laid out by `%` or `str.format`: the parts that both share.
struct FieldFormat {
    var fill: Unicode.Scalar = " "
    /// `<`, `>`, `^` or `=`; nil for the type's own.
    var alignment: Unicode.Scalar?
    /// `+`, ` ` or nil.
    var sign: Unicode.Scalar?
    var width = 0
    var groups: String?
    var precision: Int?

    /// The greatest width and precision, far above any use.
    static let maximum = 10_000

    /// A number's digits with sign, groups and padding.
    func number(isNegative: Bool, whole: String, fraction: String = "") -> String {
        var digits = whole
        if let groups {
            var grouped = ""
            for (index, digit) in whole.enumerated() {
                if index > 0, (whole.count - index) % 3 == 0 { grouped += groups }
                grouped.append(digit)
            }
            digits = grouped
        }
        let sign = isNegative ? "-" : self.sign.map { String($0) } ?? ""
        if alignment == "=" {
            let missing =
                width - sign.unicodeScalars.count - (digits + fraction).unicodeScalars.count
            return sign + String(scalars: repeatElement(fill, count: max(0, missing))) + digits
                + fraction
        }
        return padded(sign + digits + fraction, default: ">")
    }

    /// A float with a fixed number of digits after the point; `%` appended for a percentage.
    func fixed(_ value: Double, isPercentage: Bool = false) -> String {
        let suffix = isPercentage ? "%" : ""
        guard value.isFinite else {
            var plain = self
            plain.groups = nil
            return plain.number(
                isNegative: value < 0, whole: value.isNaN ? "nan" : "inf", fraction: suffix)
        }
        let text = PythonFloat.fixed(
            isPercentage ? value * 100 : value, places: precision ?? 6)
        let magnitude = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = magnitude.split(separator: ".", maxSplits: 1)
        let fraction = parts.count > 1 ? "." + parts[1] : ""
        return number(
            isNegative: text.hasPrefix("-"), whole: String(parts[0]), fraction: fraction + suffix)
    }

    /// Text cut to the precision and padded to the width.
    func text(_ value: String) -> String {
        let cut =
            precision.map { String(value.unicodeScalars.prefix($0)) } ?? value
        return padded(cut, default: "<")
    }

    private func padded(_ text: String, default side: Unicode.Scalar) -> String {
        let missing = max(0, width - text.unicodeScalars.count)
        func filling(_ count: Int) -> String { String(scalars: repeatElement(fill, count: count)) }
        switch alignment ?? side {
        case "<": return text + filling(missing)
        case "^": return filling(missing / 2) + text + filling(missing - missing / 2)
        default: return filling(missing) + text
        }
    }
}
