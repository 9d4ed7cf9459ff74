/// Writes values as Python's `repr` does, up to a greatest length.
struct PythonRepresentation {
    private(set) var text = ""
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func write(_ value: Value) throws {
        guard text.utf8.count <= limit else {
            throw Reason.limitExceeded("bytes of text", limit: limit)
        }
        switch value {
        case .undefined: text += "Undefined"
        case .none: text += "None"
        case .bool(let value): text += value ? "True" : "False"
        case .int(let value): text += String(value)
        case .float(let value): text += value.pythonDescription
        case .string(let string): write(string)
        case .list(let items): try write(items, between: "[", and: "]")
        case .tuple(let items): try write(items, between: "(", and: items.count == 1 ? ",)" : ")")
        case .dictionary(let dictionary):
            text += "{"
            for (index, key) in dictionary.keys.enumerated() {
                if index > 0 { text += ", " }
                try write(key)
                text += ": "
                try write(dictionary.values[index])
            }
            text += "}"
        case .object(let object): try write(object.kind)
        case .function: throw Reason.unsupported("printing \(value.typeName)")
        }
    }

    private mutating func write(_ object: TemplateObject.Kind) throws {
        switch object {
        case .range(let range):
            text += "range(\(range.start), \(range.stop)"
            text += range.step == 1 ? ")" : ", \(range.step))"
        case .view(let kind, let items):
            text += kind.rawValue
            try write(items, between: "([", and: "])")
        default: throw Reason.unsupported("printing \(object.typeName)")
        }
    }

    private mutating func write(
        _ items: [Value], between open: String, and close: String
    ) throws {
        text += open
        for (index, item) in items.enumerated() {
            if index > 0 { text += ", " }
            try write(item)
        }
        text += close
    }

    private mutating func write(_ string: String) {
        let scalars = string.unicodeScalars
        let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
        var view = String.UnicodeScalarView()
        view.append(quote)
        for scalar in scalars {
            switch scalar {
            case "\\", quote: view.append(contentsOf: ["\\", scalar])
            case "\n": view.append(contentsOf: ["\\", "n"])
            case "\r": view.append(contentsOf: ["\\", "r"])
            case "\t": view.append(contentsOf: ["\\", "t"])
            case _ where scalar.isPythonPrintable: view.append(scalar)
            case _ where scalar.value < 0x100:
                view.append(contentsOf: "\\x\(scalar.hexadecimal(2))".unicodeScalars)
            case _ where scalar.value < 0x10000:
                view.append(contentsOf: "\\u\(scalar.hexadecimal(4))".unicodeScalars)
            default: view.append(contentsOf: "\\U\(scalar.hexadecimal(8))".unicodeScalars)
            }
        }
        view.append(quote)
        text += String(view)
    }
}

extension Unicode.Scalar {
    /// The code point in lower-case hexadecimal digits, with zeros up to `width`.
    func hexadecimal(_ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Double {
    /// Python's `repr`: the shortest digits that round-trip, with an exponent below 1e-4 and from
    /// 1e16 on.
    var pythonDescription: String {
        guard isFinite else { return isNaN ? "nan" : self < 0 ? "-inf" : "inf" }
        let parts = magnitude.description.split(separator: "e")
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        var digits = Array(mantissa[0].utf8) + (mantissa.count > 1 ? Array(mantissa[1].utf8) : [])
        exponent += mantissa[0].utf8.count - 1
        let zero = UInt8(ascii: "0")
        while digits.count > 1, digits.first == zero {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == zero { digits.removeLast() }
        let sign = self.sign == .minus ? "-" : ""
        if self == 0 { return sign + "0.0" }
        func text(_ range: some Sequence<UInt8>) -> String {
            String(decoding: Array(range), as: UTF8.self)
        }
        if exponent < -4 || exponent >= 16 {
            let fraction = digits.count > 1 ? "." + text(digits.dropFirst()) : ""
            let size = abs(exponent)
            return sign + text(digits.prefix(1)) + fraction
                + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + String(size)
        }
        if exponent < 0 {
            return sign + "0." + String(repeating: "0", count: -exponent - 1) + text(digits)
        }
        let whole = exponent + 1
        if digits.count <= whole {
            let zeros = String(repeating: "0", count: whole - digits.count)
            return sign + text(digits) + zeros + ".0"
        }
        return sign + text(digits.prefix(whole)) + "." + text(digits.dropFirst(whole))
    }
}
