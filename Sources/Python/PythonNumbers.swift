/// Numbers as Python prints them.
package enum PythonFloat {
    /// Python's `repr` of a float: the shortest digits that read back as the same number.
    ///
    /// Plain from 1e-4 up to 1e16 (`0.0001`, `123.0`), with an exponent of at least two digits
    /// beyond (`1e-05`, `1e+16`); `nan`, `inf`, `-inf`.
    package static func repr(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        // Swift prints the same shortest digits, but changes to exponents at another size.
        let (digits, exponent) = decimal(value.magnitude)
        let sign = value.sign == .minus ? "-" : ""
        let text = String(decoding: digits, as: UTF8.self)
        guard -4..<16 ~= exponent else {
            let tail = digits.count > 1 ? "." + text.dropFirst() : ""
            let size = exponent.magnitude
            return sign + text.prefix(1) + tail
                + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + String(size)
        }
        if exponent < 0 {
            return sign + "0." + String(repeating: "0", count: -exponent - 1) + text
        }
        let whole = text.prefix(exponent + 1)
        let fraction = text.dropFirst(exponent + 1)
        return sign + whole + String(repeating: "0", count: exponent + 1 - whole.count) + "."
            + (fraction.isEmpty ? "0" : fraction)
    }

    /// The shortest digits `d` and the exponent `e` of `d[0].d[1]d[2]… * 10^e`.
    private static func decimal(_ value: Double) -> (digits: [UInt8], exponent: Int) {
        let parts = value.description.utf8.split(separator: UInt8(ascii: "e"))
        var digits = parts.first.map { Array($0) } ?? []
        let point = digits.firstIndex(of: UInt8(ascii: ".")) ?? digits.count
        var exponent = point - 1
        if parts.count > 1 { exponent += Int(String(parts[1]) ?? "") ?? 0 }
        digits.removeAll { $0 == UInt8(ascii: ".") }
        let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        if zeros == digits.count { return ([UInt8(ascii: "0")], 0) }
        digits.removeFirst(zeros)
        exponent -= zeros
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (digits, exponent)
    }
}

extension PythonFloat {
    /// The number with `places` digits after the point, halves to even on the exact value, as C's
    /// `%.*f` gives it.
    ///
    /// - Parameters:
    ///   - value: The number.
    ///   - places: Digits after the point, at least 0.
    /// - Returns: The digits, with a sign if the number is negative; `nan`, `inf` and `-inf`.
    package static func fixed(_ value: Double, places: Int) -> String {
        guard value.isFinite else { return repr(value) }
        // value = significand * 2^exponent
        let exponent = value == 0 ? 0 : Int(value.exponent) - 52
        let significand = value.magnitude.significandBitPattern
        let isNormal = value.isNormal
        var limbs = limbs(isNormal ? significand | 1 << 52 : significand)
        let power = isNormal || value == 0 ? exponent : -1074
        for _ in 0..<places { multiply(&limbs, by: 10) }
        if power >= 0 {
            for _ in 0..<power { multiply(&limbs, by: 2) }
        } else {
            shiftRight(&limbs, by: -power)
        }
        var digits = decimal(limbs)
        if digits.count <= places {
            digits = String(repeating: "0", count: places + 1 - digits.count) + digits
        }
        let sign = value.sign == .minus ? "-" : ""
        guard places > 0 else { return sign + digits }
        return sign + digits.dropLast(places) + "." + digits.suffix(places)
    }

    /// Little-endian base 2^32.
    private static func limbs(_ value: UInt64) -> [UInt32] {
        [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
    }

    private static func multiply(_ limbs: inout [UInt32], by factor: UInt64) {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let product = UInt64(limbs[index]) * factor + carry
            limbs[index] = UInt32(truncatingIfNeeded: product)
            carry = product >> 32
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
    }

    /// Divides by `2^bits`, rounding halves to even.
    private static func shiftRight(_ limbs: inout [UInt32], by bits: Int) {
        let total = limbs.count * 32
        func bit(_ index: Int) -> Bool {
            index < total && limbs[index / 32] >> UInt32(index % 32) & 1 == 1
        }
        let half = bit(bits - 1)
        let isAboveHalf = half && (0..<min(bits - 1, total)).contains { bit($0) }
        let isOdd = bit(bits)
        var result = [UInt32](repeating: 0, count: max(1, limbs.count))
        for index in 0..<max(0, total - bits) where bit(index + bits) {
            result[index / 32] |= 1 << UInt32(index % 32)
        }
        if half, isAboveHalf || isOdd {
            var index = 0
            while index < result.count {
                result[index] &+= 1
                if result[index] != 0 { break }
                index += 1
            }
            if index == result.count { result.append(1) }
        }
        limbs = result
    }

    private static func decimal(_ limbs: [UInt32]) -> String {
        var limbs = limbs
        var groups: [UInt64] = []
        while true {
            while let top = limbs.last, top == 0 { limbs.removeLast() }
            if limbs.isEmpty { break }
            var remainder: UInt64 = 0
            for index in limbs.indices.reversed() {
                let part = remainder << 32 | UInt64(limbs[index])
                limbs[index] = UInt32(part / 1_000_000_000)
                remainder = part % 1_000_000_000
            }
            groups.append(remainder)
        }
        guard let first = groups.last else { return "0" }
        return groups.dropLast().reversed().reduce(into: String(first)) { text, group in
            let digits = String(group)
            text += String(repeating: "0", count: 9 - digits.count) + digits
        }
    }
}

/// Numbers in text, as Python's `int` and `float` read them.
package enum PythonNumberText {
    /// The integer that `int(text, base)` gives; nil where it raises.
    package static func integer(_ text: String, base: Int = 10) -> Int? {
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
    package static func float(_ text: String) -> Double? {
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
