import Python

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
    private mutating func parseTestArgument() throws -> ExpressionNode {
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

extension Parser {
    /// Reads attributes, items and calls behind an operand.
    private mutating func parsePostfix(_ operand: ExpressionNode) throws -> ExpressionNode {
        try chain(operand) { parser, value in
            switch parser.current.kind {
            case .symbol("."): return try parser.parseAttribute(of: value)
            case .symbol("["): return try parser.parseItem(of: value)
            case .symbol("("): return try parser.parseCall(of: value)
            default: return nil
            }
        }
    }

    /// Reads filters, tests and calls behind an operand.
    private mutating func parseFiltersAndTests(on operand: ExpressionNode) throws -> ExpressionNode
    {
        try chain(operand) { parser, value in
            switch parser.current.kind {
            case .symbol("|"): return try parser.parseFilters(on: value)
            case .name("is"): return try parser.parseTest(on: value)
            case .symbol("("): return try parser.parseCall(of: value)
            default: return nil
            }
        }
    }

    private mutating func parseAttribute(of value: ExpressionNode) throws -> ExpressionNode {
        let line = line
        advance()
        switch current.kind {
        case .name(let name):
            advance()
            return .attribute(value, name: name, line: line)
        case .integer(let index):
            advance()
            return .item(value, key: .constant(.int(index)), line: line)
        default: throw unexpected(expected: "an attribute's name")
        }
    }

    private mutating func parseItem(of value: ExpressionNode) throws -> ExpressionNode {
        let line = line
        advance()
        var keys: [ExpressionNode] = []
        var isTuple = false
        while !isSymbol("]") {
            if !keys.isEmpty {
                try expect(.symbol(","))
                isTuple = true
                if isSymbol("]") { throw unexpected(expected: "an expression") }
            }
            let start = isSymbol(":") ? nil : try parseExpression()
            if isSymbol(":") {
                let slice = try parseSlice(from: start)
                guard isSymbol("]"), keys.isEmpty else {
                    throw failure(.unsupported("a slice among several subscripts"))
                }
                advance()
                return .slice(value, slice, line: line)
            }
            if let start { keys.append(start) }
        }
        advance()
        if !isTuple, let key = keys.first { return .item(value, key: key, line: line) }
        return .item(value, key: .tuple(keys), line: line)
    }

    private mutating func parseSlice(from start: ExpressionNode?) throws -> SliceNode {
        func bound(_ parser: inout Parser) throws -> ExpressionNode? {
            let isLeftOut = parser.isSymbol(":") || parser.isSymbol("]") || parser.isSymbol(",")
            return isLeftOut ? nil : try parser.parseExpression()
        }
        advance()
        let stop = try bound(&self)
        let step = skipSymbol(":") ? try bound(&self) : nil
        return SliceNode(start: start, stop: stop, step: step)
    }

    private mutating func parseCall(of value: ExpressionNode) throws -> ExpressionNode {
        let line = line
        return .call(value, try parseArguments(), line: line)
    }

    private mutating func parseArguments() throws -> ArgumentNodes {
        var arguments = ArgumentNodes()
        advance()
        var isFirst = true
        while !isSymbol(")") {
            if !isFirst {
                try expect(.symbol(","))
                if isSymbol(")") { break }
            }
            isFirst = false
            let isOpen = arguments.spread == nil && arguments.namedSpread == nil
            if isSymbol("*"), isOpen {
                advance()
                arguments.spread = try parseExpression()
            } else if isSymbol("**"), arguments.namedSpread == nil {
                advance()
                arguments.namedSpread = try parseExpression()
            } else if case .name(let name) = current.kind, next == .symbol("="),
                arguments.namedSpread == nil
            {
                advance()
                advance()
                arguments.named.append((name, try parseExpression()))
            } else if isOpen, arguments.named.isEmpty {
                arguments.positional.append(try parseExpression())
            } else {
                throw unexpected(expected: "an argument by name")
            }
        }
        advance()
        return arguments
    }

    private mutating func parseDottedName(_ what: String) throws -> String {
        var name = try expectName(what)
        while skipSymbol(".") { name += "." + (try expectName(what)) }
        return name
    }

    /// Reads `|` and a filter, repeated; nil as operand is the text of a filter block.
    mutating func parseFilters(
        on operand: ExpressionNode?, startsInline: Bool = false
    ) throws -> ExpressionNode? {
        let outer = depth
        defer { depth = outer }
        var value = operand
        var isInline = startsInline
        while isInline || isSymbol("|") {
            if !isInline { advance() }
            isInline = false
            try descend()
            let line = line
            let name = try parseDottedName("a filter's name")
            guard let filter = Filter(name: name, options: options) else {
                throw failure(.unsupported("the filter '\(name)'"), line: line)
            }
            let arguments = isSymbol("(") ? try parseArguments() : ArgumentNodes()
            value = .filter(value, filter, arguments, line: line)
        }
        return value
    }

    private mutating func parseTest(on value: ExpressionNode) throws -> ExpressionNode {
        advance()
        let isNegated = skipName("not")
        let line = line
        let name = try parseDottedName("a test's name")
        guard let test = Test(name: name) else {
            throw failure(.unsupported("the test '\(name)'"), line: line)
        }
        var arguments = ArgumentNodes()
        switch current.kind {
        case .symbol("("): arguments = try parseArguments()
        case .name("else"), .name("or"), .name("and"): break
        case .name("is"): throw unexpected(expected: "one test")
        case .name, .string, .integer, .float, .symbol("["), .symbol("{"):
            arguments.positional = [try parseTestArgument()]
        default: break
        }
        let result = ExpressionNode.test(value, test, arguments, line: line)
        return isNegated ? .not(result) : result
    }
}
