extension Interpreter {
    /// A number as arithmetic sees it.
    private enum Number {
        case int(Int)
        case float(Double)

        init?(_ value: Value) {
            if let integer = value.integer {
                self = .int(integer)
            } else if case .float(let value) = value {
                self = .float(value)
            } else {
                return nil
            }
        }

        var double: Double {
            switch self {
            case .int(let value): Double(value)
            case .float(let value): value
            }
        }
    }

    /// `-value`.
    func negated(_ value: Value) throws -> Value {
        switch Number(value) {
        case .int(let number): return try checked("-", 0.subtractingReportingOverflow(number))
        case .float(let number): return .float(-number)
        case nil: throw mismatch("-", value)
        }
    }

    /// `+value`.
    func plus(_ value: Value) throws -> Value {
        switch Number(value) {
        case .int(let number): return .int(number)
        case .float: return value
        case nil: throw mismatch("+", value)
        }
    }

    /// A binary operation of arithmetic, or what it means for strings and lists.
    func compute(
        _ sign: ArithmeticOperator, _ left: Value, _ right: Value
    ) throws -> Value {
        if case .undefined(let undefined) = left { throw Reason.undefined(undefined.hint) }
        if case .string(let text) = left, sign == .modulo {
            return .string(try PercentFormat(text).apply(to: right, in: self))
        }
        if case .undefined(let undefined) = right { throw Reason.undefined(undefined.hint) }
        if let first = Number(left), let second = Number(right) {
            if case .int(let a) = first, case .int(let b) = second {
                return try compute(sign, a, b)
            }
            return .float(try compute(sign, first.double, second.double))
        }
        switch (sign, left, right) {
        case (.add, .string(let a), .string(let b)): return .string(a + b)
        case (.add, .list(let a), .list(let b)): return .list(a + b)
        case (.add, .tuple(let a), .tuple(let b)): return .tuple(a + b)
        case (.multiply, _, _):
            if let count = right.integer, let result = try repeated(left, count) { return result }
            if let count = left.integer, let result = try repeated(right, count) { return result }
        default: break
        }
        throw Reason.wrongType(
            operation: "'\(sign.rawValue)'", found: "\(left.typeName) and \(right.typeName)")
    }

    private func repeated(_ value: Value, _ count: Int) throws -> Value? {
        let count = max(0, count)
        switch value {
        case .string(let text):
            try checkLength(text.utf8.count, times: count)
            return .string(String(repeating: text, count: text.isEmpty ? 0 : count))
        case .list(let items): return .list(try repeated(items, count))
        case .tuple(let items): return .tuple(try repeated(items, count))
        default: return nil
        }
    }

    private func repeated(_ items: [Value], _ count: Int) throws -> [Value] {
        let (total, overflow) = items.count.multipliedReportingOverflow(by: count)
        try charge(overflow ? .max : total)
        return items.isEmpty ? [] : Array(repeatElement(items, count: count).joined())
    }

    private func compute(_ sign: ArithmeticOperator, _ a: Int, _ b: Int) throws -> Value {
        switch sign {
        case .add: return try checked("+", a.addingReportingOverflow(b))
        case .subtract: return try checked("-", a.subtractingReportingOverflow(b))
        case .multiply: return try checked("*", a.multipliedReportingOverflow(by: b))
        case .divide:
            if b == 0 { throw division }
            guard let x = Double(exactly: a), let y = Double(exactly: b) else {
                throw Reason.unsupported("'/' of integers that no float holds exactly")
            }
            return .float(x / y)
        case .floorDivide:
            if b == 0 { throw division }
            let (quotient, overflow) = a.dividedReportingOverflow(by: b)
            let isInexact = !overflow && quotient * b != a
            return try checked(
                "//", (isInexact && (a < 0) != (b < 0) ? quotient - 1 : quotient, overflow))
        case .modulo:
            if b == 0 { throw division }
            let remainder = b == -1 ? 0 : a % b
            return .int(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder)
        case .power:
            guard b >= 0 else { throw Reason.unsupported("'**' with a negative exponent") }
            var result = 1
            if a == 0 || a == 1 || a == -1 { return .int(b == 0 ? 1 : b % 2 == 0 ? a * a : a) }
            for _ in 0..<min(b, 64) {
                let (product, overflow) = result.multipliedReportingOverflow(by: a)
                if overflow { return try checked("**", (product, true)) }
                result = product
            }
            return try checked("**", (result, b > 64))
        }
    }

    private func compute(_ sign: ArithmeticOperator, _ a: Double, _ b: Double) throws -> Double {
        switch sign {
        case .add: return a + b
        case .subtract: return a - b
        case .multiply: return a * b
        case .divide:
            if b == 0 { throw division }
            return a / b
        case .floorDivide, .modulo:
            if b == 0 { throw division }
            // As in CPython: the quotient comes from the exact remainder, then is snapped to a
            // whole number.
            var remainder = a.truncatingRemainder(dividingBy: b)
            var quotient = (a - remainder) / b
            if remainder != 0, (b < 0) != (remainder < 0) {
                remainder += b
                quotient -= 1
            }
            if remainder == 0 { remainder = b < 0 ? -0.0 : 0.0 }
            if sign == .modulo { return remainder }
            if quotient == 0 { return (a / b).sign == .minus ? -0.0 : 0.0 }
            let whole = quotient.rounded(.down)
            return quotient - whole > 0.5 ? whole + 1 : whole
        case .power: throw Reason.unsupported("'**' with floats")
        }
    }

    private var division: Reason { .invalid(operation: "division", problem: "the divisor is 0") }

    private func checked(
        _ sign: String, _ result: (partialValue: Int, overflow: Bool)
    ) throws -> Value {
        guard !result.overflow else {
            throw Reason.unsupported("an integer outside of 64 bits, the result of '\(sign)',")
        }
        return .int(result.partialValue)
    }

    private func mismatch(_ sign: String, _ value: Value) -> Reason {
        if case .undefined(let undefined) = value { return .undefined(undefined.hint) }
        return .wrongType(operation: "'\(sign)'", found: value.typeName)
    }
}
