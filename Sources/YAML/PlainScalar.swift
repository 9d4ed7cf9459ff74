import Storage

/// What an unquoted scalar stands for in YAML 1.1, as PyYAML reads it.
enum PlainScalar {
    /// The value of a scalar's text.
    static func value(of text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return .bool(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
            return .bool(false)
        case ".nan", ".NaN", ".NAN": return .number(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
        default: break
        }
        guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first) else {
            return .string(text)
        }
        return integer(text) ?? number(text) ?? .string(text)
    }

    private static func integer(_ text: String) -> JSONValue? {
        let isNegative = text.hasPrefix("-")
        var digits = Substring(text)
        if isNegative || text.hasPrefix("+") { digits.removeFirst() }
        guard digits.utf8.first.map({ 0x30...0x39 ~= $0 }) ?? false else { return nil }
        var radix = 10
        if digits.hasPrefix("0x") {
            (radix, digits) = (16, digits.dropFirst(2))
        } else if digits.hasPrefix("0b") {
            (radix, digits) = (2, digits.dropFirst(2))
        } else if digits.hasPrefix("0"), digits.utf8.count > 1 {
            (radix, digits) = (8, digits.dropFirst())
        }
        let plain = digits.filter { $0 != "_" }
        guard plain.unicodeScalars.allSatisfy({ $0.properties.isASCIIHexDigit }) else { return nil }
        return Int((isNegative ? "-" : "") + plain, radix: radix).map { .integer($0) }
    }

    /// A number needs a point; an exponent needs a sign.
    private static func number(_ text: String) -> JSONValue? {
        let plain = text.filter { $0 != "_" }
        var rest = Substring(plain)
        if rest.hasPrefix("-") || rest.hasPrefix("+") { rest.removeFirst() }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        let tail = parts[1].lowercased()
        let pieces = tail.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        guard pieces[0].utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
            !(parts[0].isEmpty && pieces[0].isEmpty)
        else { return nil }
        if pieces.count == 2 {
            guard pieces[1].hasPrefix("+") || pieces[1].hasPrefix("-"),
                pieces[1].utf8.count > 1,
                pieces[1].utf8.dropFirst().allSatisfy({ 0x30...0x39 ~= $0 })
            else { return nil }
        }
        let sign = text.hasPrefix("-") ? "-" : ""
        let exponent = pieces.count == 2 ? "e" + pieces[1] : ""
        return Double("\(sign)0\(parts[0]).\(pieces[0])0\(exponent)").map { .number($0) }
    }
}
