import Python

extension Parser {
    /// Reads attributes, items and calls behind an operand.
    mutating func parsePostfix(_ operand: ExpressionNode) throws -> ExpressionNode {
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
    mutating func parseFiltersAndTests(on operand: ExpressionNode) throws -> ExpressionNode {
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
