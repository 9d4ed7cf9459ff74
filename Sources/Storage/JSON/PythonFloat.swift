/// Numbers as Python prints them.
public enum PythonFloat {
    /// Python's `repr` of a float: the shortest digits that read back as the same number.
    ///
    /// Plain from 1e-4 up to 1e16 (`0.0001`, `123.0`), with an exponent of at least two digits
    /// beyond (`1e-05`, `1e+16`); `nan`, `inf`, `-inf`.
    public static func repr(_ value: Double) -> String {
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
