import Python

extension Interpreter {
    /// The value of an expression.
    ///
    /// - Parameters:
    ///   - node: The expression.
    ///   - scope: Where names are looked up first.
    ///   - filtered: What stands before the first filter of a filter block.
    /// - Returns: The value.
    /// - Throws: A reason, for the line in ``line``.
    func evaluate(
        _ node: ExpressionNode, in scope: Scope, filtering filtered: Value? = nil
    ) throws -> Value {
        switch node {
        case .constant(let value): return value
        case .name(_, let symbol): return try value(of: symbol, in: scope)
        default:
            try charge(2)
            return try nested { try evaluateCompound(node, in: scope, filtered) }
        }
    }

    private func evaluateCompound(
        _ node: ExpressionNode, in scope: Scope, _ filtered: Value?
    ) throws -> Value {
        switch node {
        case .constant(let value): return value
        case .name(_, let symbol): return try value(of: symbol, in: scope)
        case .list(let items): return try admit(.list(try evaluate(items, in: scope)))
        case .tuple(let items): return try admit(.tuple(try evaluate(items, in: scope)))
        case .dictionary(let entries): return try evaluateDictionary(entries, in: scope)
        case .attribute(let operand, let name, let line):
            let object = try evaluate(operand, in: scope)
            self.line = line
            return try attribute(name, of: object)
        case .item(let operand, let key, let line):
            let object = try evaluate(operand, in: scope)
            let key = try evaluate(key, in: scope)
            self.line = line
            return try item(key, of: object)
        case .slice(let operand, let bounds, let line):
            return try evaluateSlice(operand, bounds, line, in: scope)
        case .call(let callee, let arguments, let line):
            let function = try evaluate(callee, in: scope)
            let arguments = try evaluate(arguments, in: scope)
            self.line = line
            return try admit(try call(function, arguments))
        case .filter(let operand, let filter, let arguments, let line):
            let value =
                try operand.map { try evaluate($0, in: scope, filtering: filtered) } ?? filtered
            let arguments = try evaluate(arguments, in: scope)
            self.line = line
            return try apply(filter, to: value ?? .none, arguments)
        case .test(let operand, let test, let arguments, let line):
            let value = try evaluate(operand, in: scope)
            let arguments = try evaluate(arguments, in: scope)
            self.line = line
            return .bool(try apply(test, to: value, arguments))
        default: return try evaluateOperation(node, in: scope)
        }
    }

    private func evaluateOperation(_ node: ExpressionNode, in scope: Scope) throws -> Value {
        switch node {
        case .not(let operand): return .bool(!(try isTrue(try evaluate(operand, in: scope))))
        case .and(let left, let right):
            let value = try evaluate(left, in: scope)
            return try isTrue(value) ? try evaluate(right, in: scope) : value
        case .or(let left, let right):
            let value = try evaluate(left, in: scope)
            return try isTrue(value) ? value : try evaluate(right, in: scope)
        case .negative(let operand, let line):
            let value = try evaluate(operand, in: scope)
            self.line = line
            return try negated(value)
        case .positive(let operand, let line):
            let value = try evaluate(operand, in: scope)
            self.line = line
            return try plus(value)
        case .binary(let arithmetic, let left, let right, let line):
            let first = try evaluate(left, in: scope)
            let second = try evaluate(right, in: scope)
            self.line = line
            return try admit(try compute(arithmetic, first, second))
        case .comparison(let first, let rest, let line):
            return try evaluateComparison(first, rest, line, in: scope)
        case .concatenation(let parts):
            var result = ""
            for value in try evaluate(parts, in: scope) {
                result += try text(of: value)
                try checkLength(result.utf8.count)
            }
            return try admit(.string(result))
        case .conditional(let test, let then, let otherwise, let line):
            if try isTrue(try evaluate(test, in: scope)) { return try evaluate(then, in: scope) }
            if let otherwise { return try evaluate(otherwise, in: scope) }
            return .undefined(
                Undefined(
                    hint: "the inline 'if' of line \(line) is false and has no 'else'",
                    isLenient: true))
        default: return .none
        }
    }

    private func evaluate(_ nodes: [ExpressionNode], in scope: Scope) throws -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(nodes.count)
        for node in nodes { values.append(try evaluate(node, in: scope)) }
        return values
    }

    private func evaluateDictionary(
        _ entries: [(key: ExpressionNode, value: ExpressionNode)], in scope: Scope
    ) throws -> Value {
        try charge(4 * entries.count)
        var dictionary = ValueDictionary()
        for entry in entries {
            let key = try evaluate(entry.key, in: scope)
            try requireHashable(key)
            try dictionary.insert(key, try evaluate(entry.value, in: scope))
        }
        return try admit(.dictionary(dictionary))
    }

    private func evaluateComparison(
        _ first: ExpressionNode, _ rest: [(ComparisonOperator, ExpressionNode)], _ line: Int,
        in scope: Scope
    ) throws -> Value {
        var left = try evaluate(first, in: scope)
        for (comparison, node) in rest {
            let right = try evaluate(node, in: scope)
            self.line = line
            guard try compare(left, comparison, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func evaluateSlice(
        _ operand: ExpressionNode, _ bounds: SliceNode, _ line: Int, in scope: Scope
    ) throws -> Value {
        let object = try evaluate(operand, in: scope)
        func bound(_ node: ExpressionNode?) throws -> Int? {
            guard let node else { return nil }
            let value = try evaluate(node, in: scope)
            if value.isNone { return nil }
            guard let number = value.integer else {
                throw Reason.wrongType(operation: "a slice's bound", found: value.typeName)
            }
            return number
        }
        let start = try bound(bounds.start)
        let stop = try bound(bounds.stop)
        let step = try bound(bounds.step)
        self.line = line
        return try admit(try slice(object, start, stop, step))
    }

    /// Evaluates arguments in the order Python does.
    func evaluate(_ nodes: ArgumentNodes, in scope: Scope) throws -> Arguments {
        if nodes.isEmpty { return .none }
        var arguments = Arguments(positional: [], named: [])
        arguments.positional = try evaluate(nodes.positional, in: scope)
        if let spread = nodes.spread {
            arguments.positional += try items(of: try evaluate(spread, in: scope), for: "'*'")
        }
        for (name, node) in nodes.named {
            arguments.named.append((name, try evaluate(node, in: scope)))
        }
        guard let spread = nodes.namedSpread else { return arguments }
        let value = try evaluate(spread, in: scope)
        guard case .dictionary(let dictionary) = value else {
            throw Reason.wrongType(operation: "'**'", found: value.typeName)
        }
        for (key, value) in zip(dictionary.keys, dictionary.values) {
            guard case .string(let name) = key else {
                throw Reason.wrongType(operation: "'**'", found: "a key that is \(key.typeName)")
            }
            arguments.named.append((name, value))
        }
        return arguments
    }
}

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
