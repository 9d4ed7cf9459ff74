import Python

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
