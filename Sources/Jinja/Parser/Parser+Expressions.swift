extension Parser {
    /// Reads an expression, or several between commas as a tuple.
    mutating func parseTuple(
        allowsConditional: Bool = true, end: String? = nil, isInBrackets: Bool = false
    ) throws -> ExpressionNode {
        var items: [ExpressionNode] = []
        var isTuple = false
        while true {
            if !items.isEmpty { try expect(.symbol(",")) }
            if isTupleEnd(end) { break }
            items.append(try parseExpression(allowsConditional: allowsConditional))
            guard isSymbol(",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = items.first { return only }
            if !isInBrackets { throw unexpected(expected: "an expression") }
        }
        return .tuple(items)
    }

    private func isTupleEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(")"): true
        case .name(let name): name == end
        default: false
        }
    }

    /// Reads one expression.
    mutating func parseExpression(allowsConditional: Bool = true) throws -> ExpressionNode {
        try nested { parser in
            guard allowsConditional else { return try parser.parseOr() }
            return try parser.parseConditional()
        }
    }

    /// Reads operands between operators of one level, from the left.
    private mutating func parseChain(
        _ operand: (inout Parser) throws -> ExpressionNode,
        _ link: (inout Parser, ExpressionNode) throws -> ExpressionNode?
    ) throws -> ExpressionNode {
        try chain(try operand(&self), link)
    }

    private mutating func parseConditional() throws -> ExpressionNode {
        let line = line
        return try parseChain({ try $0.parseOr() }) { parser, then in
            guard parser.skipName("if") else { return nil }
            let test = try parser.parseOr()
            let otherwise =
                parser.skipName("else") ? try parser.nested { try $0.parseConditional() } : nil
            return .conditional(test: test, then: then, otherwise: otherwise, line: line)
        }
    }

    private mutating func parseOr() throws -> ExpressionNode {
        try parseChain({ try $0.parseAnd() }) { parser, left in
            guard parser.skipName("or") else { return nil }
            return .or(left, try parser.parseAnd())
        }
    }

    private mutating func parseAnd() throws -> ExpressionNode {
        try parseChain({ try $0.parseNot() }) { parser, left in
            guard parser.skipName("and") else { return nil }
            return .and(left, try parser.parseNot())
        }
    }

    private mutating func parseNot() throws -> ExpressionNode {
        guard skipName("not") else { return try parseComparison() }
        return .not(try nested { try $0.parseNot() })
    }

    private mutating func parseComparison() throws -> ExpressionNode {
        let line = line
        let first = try parseSum()
        var rest: [(ComparisonOperator, ExpressionNode)] = []
        while let comparison = readComparison() { rest.append((comparison, try parseSum())) }
        return rest.isEmpty ? first : .comparison(first, rest, line: line)
    }

    private mutating func readComparison() -> ComparisonOperator? {
        switch current.kind {
        case .symbol(let symbol):
            guard let comparison = ComparisonOperator(rawValue: symbol) else { return nil }
            advance()
            return comparison
        case .name("in"):
            advance()
            return .contained
        case .name("not") where next == .name("in"):
            advance()
            advance()
            return .notContained
        default: return nil
        }
    }

    private mutating func readOperator(_ symbols: String...) -> ArithmeticOperator? {
        guard case .symbol(let symbol) = current.kind, symbols.contains(symbol) else { return nil }
        advance()
        return ArithmeticOperator(rawValue: symbol)
    }

    private mutating func parseSum() throws -> ExpressionNode {
        try parseChain({ try $0.parseConcatenation() }) { parser, left in
            let line = parser.line
            guard let sign = parser.readOperator("+", "-") else { return nil }
            return .binary(sign, left, try parser.parseConcatenation(), line: line)
        }
    }

    private mutating func parseConcatenation() throws -> ExpressionNode {
        let first = try parseProduct()
        guard isSymbol("~") else { return first }
        var parts = [first]
        while skipSymbol("~") { parts.append(try parseProduct()) }
        return .concatenation(parts)
    }

    private mutating func parseProduct() throws -> ExpressionNode {
        try parseChain({ try $0.parsePower() }) { parser, left in
            let line = parser.line
            guard let sign = parser.readOperator("*", "/", "//", "%") else { return nil }
            return .binary(sign, left, try parser.parsePower(), line: line)
        }
    }

    private mutating func parsePower() throws -> ExpressionNode {
        // From the left, unlike Python's: that is Jinja's grammar.
        try parseChain({ try $0.parseUnary() }) { parser, left in
            let line = parser.line
            guard parser.readOperator("**") != nil else { return nil }
            return .binary(.power, left, try parser.parseUnary(), line: line)
        }
    }

    private mutating func parseUnary(allowsFilters: Bool = true) throws -> ExpressionNode {
        let line = line
        let operand: ExpressionNode
        if skipSymbol("-") {
            operand = .negative(try nested { try $0.parseUnary(allowsFilters: false) }, line: line)
        } else if skipSymbol("+") {
            operand = .positive(try nested { try $0.parseUnary(allowsFilters: false) }, line: line)
        } else {
            operand = try parsePrimary()
        }
        let value = try parsePostfix(operand)
        return allowsFilters ? try parseFiltersAndTests(on: value) : value
    }

    /// Reads the argument of a test that stands without brackets.
    mutating func parseTestArgument() throws -> ExpressionNode {
        try parsePostfix(try nested { try $0.parsePrimary() })
    }

    private mutating func parsePrimary() throws -> ExpressionNode {
        switch current.kind {
        case .name(let name):
            advance()
            switch name {
            case "true", "True": return .constant(.bool(true))
            case "false", "False": return .constant(.bool(false))
            case "none", "None": return .constant(.none)
            default:
                namesRead.insert(symbol(name))
                return .name(name, symbol: symbol(name))
            }
        case .string(let first):
            advance()
            var text = first
            while case .string(let more) = current.kind {
                text.unicodeScalars.append(contentsOf: more.unicodeScalars)
                advance()
            }
            return .constant(.string(text))
        case .integer(let value):
            advance()
            return .constant(.int(value))
        case .float(let value):
            advance()
            return .constant(.float(value))
        case .symbol("("):
            advance()
            let inner = try parseTuple(isInBrackets: true)
            try expect(.symbol(")"))
            return inner
        case .symbol("["):
            return .list(try parseItems(close: "]") { try $0.parseExpression() })
        case .symbol("{"):
            return .dictionary(
                try parseItems(close: "}") { parser in
                    let key = try parser.parseExpression()
                    try parser.expect(.symbol(":"))
                    return (key, try parser.parseExpression())
                })
        default:
            throw unexpected(expected: "an expression")
        }
    }

    /// Reads what stands between brackets and commas, a comma at the end allowed.
    private mutating func parseItems<T>(
        close: String, _ item: (inout Parser) throws -> T
    ) throws -> [T] {
        advance()
        var items: [T] = []
        while !isSymbol(close) {
            if !items.isEmpty { try expect(.symbol(",")) }
            if isSymbol(close) { break }
            items.append(try item(&self))
        }
        advance()
        return items
    }
}
