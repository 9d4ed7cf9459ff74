import Python

extension Interpreter {
    /// Applies a filter that gives a number.
    func applyNumeric(_ filter: Filter, to value: Value, _ arguments: Arguments) throws -> Value {
        switch filter {
        case .int: return try toInteger(value, arguments)
        case .float: return try toFloat(value, arguments)
        case .round: return try round(value, arguments)
        default:
            _ = try ArgumentReader(arguments, of: filter.rawValue, [])
            if case .float(let number) = value { return .float(number.magnitude) }
            guard let number = value.integer else { throw mismatch("abs", value) }
            return number < 0 ? try negated(.int(number)) : .int(number)
        }
    }

    private func mismatch(_ operation: String, _ value: Value) -> Reason {
        if case .undefined(let undefined) = value { return .undefined(undefined.hint) }
        return .wrongType(operation: operation, found: value.typeName)
    }

    private func toInteger(_ value: Value, _ arguments: Arguments) throws -> Value {
        let reader = try ArgumentReader(arguments, of: "int", ["default", "base"])
        let fallback = reader[0] ?? .int(0)
        let base = try reader.integer(1, default: 10)
        func whole(_ number: Double) throws -> Value {
            guard number.isFinite else { return fallback }
            guard let integer = Int(exactly: number.rounded(.towardZero)) else {
                throw Reason.unsupported("an integer outside of 64 bits, the result of 'int',")
            }
            return .int(integer)
        }
        switch value {
        case .undefined(let undefined): throw Reason.undefined(undefined.hint)
        case .int, .bool: return .int(value.integer ?? 0)
        case .float(let number):
            // Python catches NaN here, while an infinity is retried and then falls back too.
            return try whole(number)
        case .string(let text):
            if let integer = PythonNumberText.integer(text, base: base) { return .int(integer) }
            let digits = text.trimmed(both: true).unicodeScalars
            if digits.count > 18, digits.allSatisfy({ $0.isDigit || $0 == "-" || $0 == "_" }) {
                throw Reason.unsupported("an integer outside of 64 bits, the result of 'int',")
            }
            guard let number = PythonNumberText.float(text) else { return fallback }
            return try whole(number)
        default: return fallback
        }
    }

    private func toFloat(_ value: Value, _ arguments: Arguments) throws -> Value {
        let reader = try ArgumentReader(arguments, of: "float", ["default"])
        let fallback = reader[0] ?? .float(0)
        switch value {
        case .undefined(let undefined): throw Reason.undefined(undefined.hint)
        case .float: return value
        case .string(let text): return PythonNumberText.float(text).map { .float($0) } ?? fallback
        default: return value.integer.map { .float(Double($0)) } ?? fallback
        }
    }

    private func round(_ value: Value, _ arguments: Arguments) throws -> Value {
        let reader = try ArgumentReader(arguments, of: "round", ["precision", "method"])
        let precision = try reader.integer(0, default: 0)
        let method = reader[1] == nil ? "common" : try reader.string(1)
        if precision < 0 { throw Reason.unsupported("'round' to places before the point") }
        if method == "common" {
            if let number = value.integer { return .int(number) }
            guard case .float(let number) = value else { throw mismatch("round", value) }
            guard precision <= 323, number.isFinite else { return value }
            return .float(Double(PythonFloat.fixed(number, places: precision)) ?? number)
        }
        guard method == "ceil" || method == "floor" else {
            throw Reason.invalid(operation: "round", problem: "there is no method '\(method)'")
        }
        guard precision <= 15 else { throw Reason.unsupported("'round' to more than 15 places") }
        let power = try compute(.power, .int(10), .int(precision))
        let scaled = try compute(.multiply, value, power)
        if let number = scaled.integer { return try compute(.divide, .int(number), power) }
        guard case .float(let number) = scaled, number.magnitude < 0x1p53 else {
            throw mismatch("round", value)
        }
        // The quotient is that of an integer, so there is no negative zero.
        let whole = number.rounded(method == "ceil" ? .up : .down)
        return try compute(.divide, .int(Int(whole)), power)
    }
}
