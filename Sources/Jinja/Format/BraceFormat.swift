import Python

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
