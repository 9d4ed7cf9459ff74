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

/// Python's `text % values`: the conversions `s`, `r`, `d`, `i`, `u`, `f`, `F`, `x`, `X`, `o`, `c` and
/// `%`.
struct PercentFormat {
    private let scalars: [Unicode.Scalar]

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// The text with its conversions filled in.
    func apply(to operand: Value, in interpreter: Interpreter) throws -> String {
        try interpreter.charge(8)
        var values: [Value] = []
        var mapping: ValueDictionary?
        switch operand {
        case .tuple(let items): values = items
        case .dictionary(let dictionary):
            mapping = dictionary
            values = [operand]
        default: values = [operand]
        }
        // Python takes a list for a mapping, and does not mind when a mapping is not used.
        let mayBeLeft = if case .list = operand { true } else { mapping != nil }
        var rest = values[...]
        var result = ""
        var index = 0
        while index < scalars.count {
            guard scalars[index] == "%" else {
                result.unicodeScalars.append(scalars[index])
                index += 1
                continue
            }
            index += 1
            let (field, key, conversion) = try read(&index)
            if conversion == "%" {
                result += "%"
                continue
            }
            let value: Value
            if let key {
                guard let mapping else { throw invalid("a name needs a dictionary") }
                guard let found = mapping[key] else { throw invalid("there is no key '\(key)'") }
                value = found
                rest = []
            } else {
                guard let next = rest.popFirst() else { throw invalid("there are too few values") }
                value = next
            }
            result += try convert(value, field, conversion, interpreter)
            try interpreter.checkLength(result.utf8.count)
        }
        if !mayBeLeft, !rest.isEmpty { throw invalid("there are too many values") }
        return result
    }

    private func invalid(_ problem: String) -> Reason {
        .invalid(operation: "'%'", problem: problem)
    }

    private func read(
        _ index: inout Int
    ) throws -> (field: FieldFormat, key: String?, conversion: Unicode.Scalar) {
        func current() throws -> Unicode.Scalar {
            guard index < scalars.count else { throw invalid("the format is cut short") }
            return scalars[index]
        }
        var key: String?
        if try current() == "(" {
            guard let end = scalars[index...].firstIndex(of: ")") else {
                throw invalid("the format is cut short")
            }
            key = String(scalars: scalars[(index + 1)..<end])
            index = end + 1
        }
        var field = FieldFormat()
        flags: while true {
            switch try current() {
            case "-": field.alignment = "<"
            case "+": field.sign = "+"
            case " ": field.sign = field.sign ?? " "
            case "0" where field.alignment == nil: (field.fill, field.alignment) = ("0", "=")
            case "0": break
            case "#": throw Reason.unsupported("the format flag '#'")
            default: break flags
            }
            if field.alignment == "<" { field.fill = " " }
            index += 1
        }
        field.width = try readNumber(&index) ?? 0
        if try current() == "." {
            index += 1
            field.precision = try readNumber(&index) ?? 0
        }
        if try ["*", "h", "l", "L"].contains(current()) {
            throw Reason.unsupported("the format '%\(try current())'")
        }
        let conversion = try current()
        index += 1
        return (field, key, conversion)
    }

    private func readNumber(_ index: inout Int) throws -> Int? {
        var value: Int?
        while index < scalars.count, scalars[index].isDigit {
            value = (value ?? 0) * 10 + (scalars[index].asciiDigitValue ?? 0)
            index += 1
            if let value, value > FieldFormat.maximum {
                throw Reason.limitExceeded("characters in a field", limit: FieldFormat.maximum)
            }
        }
        return value
    }

    private func convert(
        _ value: Value, _ field: FieldFormat, _ conversion: Unicode.Scalar,
        _ interpreter: Interpreter
    ) throws -> String {
        if case .undefined(let undefined) = value, conversion != "s" {
            throw Reason.undefined(undefined.hint)
        }
        switch conversion {
        case "s", "r":
            var plain = field
            plain.fill = " "
            if plain.alignment != "<" { plain.alignment = ">" }
            if conversion == "s" { return plain.text(try interpreter.text(of: value)) }
            var writer = PythonRepresentation(limit: interpreter.options.limits.outputBytes)
            try writer.write(value)
            return plain.text(writer.text)
        case "d", "i", "u":
            var number = value
            if case .float(let double) = value {
                guard let whole = Int(exactly: double.rounded(.towardZero)) else {
                    throw invalid("the float is no integer of 64 bits")
                }
                number = .int(whole)
            }
            guard let integer = number.integer else { throw mismatch(conversion, value) }
            return integerText(integer, field, radix: 10)
        case "x", "X", "o":
            guard let integer = value.integer else { throw mismatch(conversion, value) }
            let text = integerText(integer, field, radix: conversion == "o" ? 8 : 16)
            return conversion == "X" ? text.pythonUppercase : text
        case "f", "F":
            if case .float(let double) = value {
                let text = field.fixed(double)
                return conversion == "F" ? text.pythonUppercase : text
            }
            guard let integer = value.integer else { throw mismatch(conversion, value) }
            return field.fixed(Double(integer))
        default: throw Reason.unsupported("the format '%\(conversion)'")
        }
    }

    private func integerText(_ value: Int, _ field: FieldFormat, radix: Int) -> String {
        var digits = String(value.magnitude, radix: radix)
        if let precision = field.precision {
            digits = String(repeating: "0", count: max(0, precision - digits.count)) + digits
        }
        return field.number(isNegative: value < 0, whole: digits)
    }

    private func mismatch(_ conversion: Unicode.Scalar, _ value: Value) -> Reason {
        .wrongType(operation: "'%\(conversion)'", found: value.typeName)
    }
}

/// Python's `str.format`: fields by place or name, the conversions `!s` and `!r`, and specifications of the types `s`, `d`, `f`, `F`, `%`, `x`, `X`, `o` and `b`.
struct BraceFormat {
    private let scalars: [Unicode.Scalar]

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// The text with its fields filled in.
    func apply(to arguments: Arguments, in interpreter: Interpreter) throws -> String {
        try interpreter.charge(8)
        var result = ""
        var index = 0
        var automatic = 0
        var usesNumbers = false
        while index < scalars.count {
            let scalar = scalars[index]
            let isDoubled = index + 1 < scalars.count && scalars[index + 1] == scalar
            index += 1
            guard scalar == "{" || scalar == "}" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            if isDoubled {
                result.unicodeScalars.append(scalar)
                index += 1
                continue
            }
            guard scalar == "{", let end = scalars[index...].firstIndex(of: "}") else {
                throw invalid("a brace stands alone")
            }
            let field = Array(scalars[index..<end])
            if field.contains("{") { throw Reason.unsupported("a format with nested fields") }
            index = end + 1
            let colon = field.firstIndex(of: ":") ?? field.endIndex
            var name = field[..<colon]
            var conversion: Unicode.Scalar?
            if let mark = name.firstIndex(of: "!") {
                guard mark + 2 == name.endIndex else { throw invalid("a conversion is cut short") }
                conversion = name[mark + 1]
                name = name[..<mark]
            }
            var path = name.split(
                omittingEmptySubsequences: false, whereSeparator: { $0 == "." || $0 == "[" })
            let first = path.isEmpty ? "" : String(scalars: path.removeFirst())
            guard path.isEmpty else {
                throw Reason.unsupported("a format with attributes or items")
            }
            let value = try argument(first, arguments, &automatic, &usesNumbers)
            let specification = colon < field.endIndex ? Array(field[(colon + 1)...]) : []
            result += try format(value, conversion, specification, interpreter)
            try interpreter.checkLength(result.utf8.count)
        }
        return result
    }

    private func argument(
        _ name: String, _ arguments: Arguments, _ automatic: inout Int, _ usesNumbers: inout Bool
    ) throws -> Value {
        var place: Int?
        if name.isEmpty {
            if usesNumbers { throw invalid("fields with and without numbers") }
            place = automatic
            automatic += 1
        } else if name.unicodeScalars.allSatisfy(\.isDigit) {
            if automatic > 0 { throw invalid("fields with and without numbers") }
            usesNumbers = true
            place = Int(name)
        }
        if let place {
            guard place < arguments.positional.count else {
                throw invalid("there are too few values")
            }
            return arguments.positional[place]
        }
        guard let match = arguments.named.first(where: { $0.name.hasSameScalars(as: name) }) else {
            throw invalid("there is no argument '\(name)'")
        }
        return match.value
    }

    private func format(
        _ value: Value, _ conversion: Unicode.Scalar?, _ specification: [Unicode.Scalar],
        _ interpreter: Interpreter
    ) throws -> String {
        var value = value
        switch conversion {
        case nil: break
        case "s": value = .string(try interpreter.text(of: value))
        case "r":
            var writer = PythonRepresentation(limit: interpreter.options.limits.outputBytes)
            try writer.write(value)
            value = .string(writer.text)
        default: throw Reason.unsupported("the format conversion '!\(conversion ?? "?")'")
        }
        if specification.isEmpty { return try interpreter.text(of: value) }
        let (field, type) = try read(specification)
        switch value {
        case .string(let text):
            guard type == nil || type == "s", field.sign == nil, field.groups == nil,
                field.alignment != "="
            else { throw mismatch(specification, value) }
            return field.text(text)
        case .int(let number):
            if let type, ["f", "F", "%"].contains(type) {
                return try float(Double(number), field, type, specification)
            }
            guard field.precision == nil else { throw mismatch(specification, value) }
            let radix: Int
            switch type {
            case nil, "d": radix = 10
            case "x", "X": radix = 16
            case "o": radix = 8
            case "b": radix = 2
            default: throw unsupported(specification)
            }
            if radix != 10, field.groups != nil { throw unsupported(specification) }
            if field.groups != nil, field.alignment == "=" { throw unsupported(specification) }
            let digits = String(number.magnitude, radix: radix, uppercase: type == "X")
            return field.number(isNegative: number < 0, whole: digits)
        case .float(let number):
            return try float(number, field, type, specification)
        default:
            throw mismatch(specification, value)
        }
    }

    private func float(
        _ number: Double, _ field: FieldFormat, _ type: Unicode.Scalar?,
        _ specification: [Unicode.Scalar]
    ) throws -> String {
        if field.groups != nil, field.alignment == "=" { throw unsupported(specification) }
        switch type {
        case "f", "F", "%":
            let text = field.fixed(number, isPercentage: type == "%")
            return type == "F" ? text.pythonUppercase : text
        case nil where field.precision == nil && field.groups == nil:
            let text = PythonFloat.repr(number)
            let isNegative = text.hasPrefix("-")
            return field.number(
                isNegative: isNegative, whole: String(isNegative ? text.dropFirst() : text[...]))
        default: throw unsupported(specification)
        }
    }

    private func read(
        _ specification: [Unicode.Scalar]
    ) throws -> (FieldFormat, type: Unicode.Scalar?) {
        var field = FieldFormat()
        var rest = specification[...]
        func isAlignment(_ scalar: Unicode.Scalar?) -> Bool {
            scalar.map { "<>^=".unicodeScalars.contains($0) } ?? false
        }
        if rest.count > 1, isAlignment(rest[rest.startIndex + 1]) {
            field.fill = rest.removeFirst()
            field.alignment = rest.removeFirst()
        } else if isAlignment(rest.first) {
            field.alignment = rest.removeFirst()
        }
        if let sign = rest.first, "+- ".unicodeScalars.contains(sign) {
            field.sign = sign == "-" ? nil : sign
            rest.removeFirst()
        }
        if rest.first == "0" {
            rest.removeFirst()
            if field.alignment == nil { (field.fill, field.alignment) = ("0", "=") }
        }
        field.width = try readNumber(&rest) ?? 0
        if let mark = rest.first, mark == "," || mark == "_" {
            field.groups = String(mark)
            rest.removeFirst()
        }
        if rest.first == "." {
            rest.removeFirst()
            guard let precision = try readNumber(&rest) else {
                throw invalid("a precision is missing")
            }
            field.precision = precision
        }
        guard rest.count <= 1 else { throw unsupported(specification) }
        return (field, rest.first)
    }

    private func readNumber(_ rest: inout ArraySlice<Unicode.Scalar>) throws -> Int? {
        var value: Int?
        while let digit = rest.first, digit.isDigit {
            value = (value ?? 0) * 10 + (digit.asciiDigitValue ?? 0)
            rest.removeFirst()
            if let value, value > FieldFormat.maximum {
                throw Reason.limitExceeded("characters in a field", limit: FieldFormat.maximum)
            }
        }
        return value
    }

    private func invalid(_ problem: String) -> Reason {
        .invalid(operation: "format", problem: problem)
    }

    private func unsupported(_ specification: [Unicode.Scalar]) -> Reason {
        .unsupported("the format '\(String(scalars: specification))' for this value")
    }

    private func mismatch(_ specification: [Unicode.Scalar], _ value: Value) -> Reason {
        .wrongType(
            operation: "the format '\(String(scalars: specification))'", found: value.typeName)
    }
}
