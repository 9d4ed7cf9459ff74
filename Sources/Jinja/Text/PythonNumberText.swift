/// Numbers in text, as Python's `int` and `float` read them.
enum PythonNumberText {
    /// The integer that `int(text, base)` gives; nil where it raises.
    static func integer(_ text: String, base: Int = 10) -> Int? {
        var scalars = Array(text.trimmed(both: true).unicodeScalars)
        var isNegative = false
        if let sign = scalars.first, sign == "-" || sign == "+" {
            isNegative = sign == "-"
            scalars.removeFirst()
        }
        var base = base
        if scalars.count > 1, scalars[0] == "0" {
            let marked: Int? =
                switch scalars[1] {
                case "x", "X": 16
                case "o", "O": 8
                case "b", "B": 2
                default: nil
                }
            if let marked, base == 0 || base == marked {
                base = marked
                scalars.removeFirst(2)
                if scalars.first == "_" { scalars.removeFirst() }
            }
        }
        if base == 0 {
            let isZero = scalars.allSatisfy { $0 == "0" || $0 == "_" }
            if scalars.first == "0", !isZero { return nil }
            base = 10
        }
        guard (2...36).contains(base), let digits = joined(scalars) else { return nil }
        var value = 0
        for scalar in digits {
            guard let digit = digit(scalar), digit < base else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: base)
            let (sum, carry) = product.addingReportingOverflow(isNegative ? -digit : digit)
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// The number that `float(text)` gives; nil where it raises.
    static func float(_ text: String) -> Double? {
        var scalars = Array(text.trimmed(both: true).unicodeScalars)
        var sign = ""
        if let first = scalars.first, first == "-" || first == "+" {
            sign = first == "-" ? "-" : ""
            scalars.removeFirst()
        }
        switch String(scalars: scalars).lowercased() {
        case "inf", "infinity": return sign.isEmpty ? .infinity : -.infinity
        case "nan": return .nan
        default: break
        }
        var ascii = ""
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "_":
                guard index > 0, index + 1 < scalars.count, digit(scalars[index - 1]) != nil,
                    digit(scalars[index + 1]) != nil
                else { return nil }
            case ".", "e", "E", "+", "-": ascii.unicodeScalars.append(scalar)
            default:
                guard scalar.isPythonDecimal, let digit = digit(scalar) else { return nil }
                ascii += String(digit)
            }
        }
        guard ascii.unicodeScalars.first(where: { $0 != "." })?.isDigit == true else { return nil }
        return Double(sign + (ascii.first == "." ? "0" + ascii : ascii).withDigitAfterPoint)
    }

    /// The scalars without `_`, which may stand only between digits.
    private static func joined(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar]? {
        guard let first = scalars.first, let last = scalars.last, first != "_", last != "_" else {
            return nil
        }
        for index in scalars.indices.dropFirst()
        where scalars[index] == "_" && scalars[index - 1] == "_" { return nil }
        return scalars.filter { $0 != "_" }
    }

    private static func digit(_ scalar: Unicode.Scalar) -> Int? {
        if let value = scalar.asciiDigitValue { return value }
        guard scalar.isPythonDecimal, let value = scalar.properties.numericValue else { return nil }
        return Int(value)
    }
}

extension String {
    /// The text with a zero between a point and an exponent or the end, where Python needs none.
    fileprivate var withDigitAfterPoint: String {
        var result = ""
        var isAfterPoint = false
        for character in unicodeScalars {
            if isAfterPoint, !character.isDigit { result += "0" }
            isAfterPoint = character == "."
            result.unicodeScalars.append(character)
        }
        return isAfterPoint ? result + "0" : result
    }
}
