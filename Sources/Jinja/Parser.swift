/// Reads tokens into statements and expressions.
///
/// Source: the grammar of Jinja 3.1's parser. What it knows and this one refuses is named in the
/// error, never skipped.
struct Parser {
    let template: String
    let options: TemplateOptions
    let tokens: [Token]
    var index = 0
    var depth = 0
    /// Names in the order of their symbols.
    var names: [String] = []
    private var symbols: [DictionaryKey: Int] = [:]
    /// Whether `break` and `continue` have a loop to act on.
    var isInLoop = false
    /// Names read since the innermost macro began.
    var namesRead: Set<Int> = []

    /// Nesting of brackets, operators and blocks in the source.
    static let maximumDepth = 120

    init(_ tokens: [Token], template: String, options: TemplateOptions) {
        self.tokens = tokens
        self.template = template
        self.options = options
    }

    /// The number that stands for a name; equal names have equal numbers.
    mutating func symbol(_ name: String) -> Int {
        if let symbol = symbols[.text(name)] { return symbol }
        symbols[.text(name)] = names.count
        names.append(name)
        return names.count - 1
    }
}

// Reading tokens.
extension Parser {
    var current: Token { tokens[index] }
    var line: Int { current.line }

    var next: Token.Kind { tokens[min(index + 1, tokens.count - 1)].kind }

    mutating func advance() {
        if index + 1 < tokens.count { index += 1 }
    }

    func isName(_ name: String) -> Bool { current.kind == .name(name) }
    func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }

    mutating func skipName(_ name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    mutating func skipSymbol(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ kind: Token.Kind) throws {
        guard current.kind == kind else { throw unexpected(expected: kind.description) }
        advance()
    }

    mutating func expectName(_ what: String = "a name") throws -> String {
        guard case .name(let name) = current.kind else { throw unexpected(expected: what) }
        advance()
        return name
    }

    func failure(_ reason: Reason, line: Int? = nil) -> TemplateError {
        TemplateError(template: template, line: line ?? self.line, reason: reason)
    }

    func unexpected(expected: String) -> TemplateError {
        failure(.unexpected(found: current.kind.description, expected: expected))
    }

    /// Runs `body` one level deeper; too many levels are an error.
    mutating func nested<T>(_ body: (inout Parser) throws -> T) throws -> T {
        defer { depth -= 1 }
        try descend()
        return try body(&self)
    }

    /// Counts one more level; the caller takes it back.
    mutating func descend() throws {
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw failure(.limitExceeded("levels of nesting", limit: Self.maximumDepth))
        }
    }

    /// Extends an operand as long as `link` finds more.
    ///
    /// Each link is a level of the tree, so a long chain counts as deep nesting.
    mutating func chain(
        _ operand: ExpressionNode,
        _ link: (inout Parser, ExpressionNode) throws -> ExpressionNode?
    ) throws -> ExpressionNode {
        let outer = depth
        defer { depth = outer }
        var value = operand
        while let longer = try link(&self, value) {
            value = longer
            try descend()
        }
        return value
    }
}

extension Parser {
    /// Reads statements up to the end of the source or to a tag named in `ends`, whose name becomes
    /// the current token.
    mutating func parseBody(until ends: [String] = []) throws -> [StatementNode] {
        try nested { try $0.parseStatements(until: ends) }
    }

    private mutating func parseStatements(until ends: [String]) throws -> [StatementNode] {
        var body: [StatementNode] = []
        while true {
            switch current.kind {
            case .data(let text):
                body.append(.text(text))
                advance()
            case .variableBegin:
                let line = line
                advance()
                body.append(.print(try parseTuple(), line: line))
                try expect(.variableEnd)
            case .blockBegin:
                advance()
                if case .name(let name) = current.kind, ends.contains(name) { return body }
                body.append(contentsOf: try parseStatement())
                try expect(.blockEnd)
            case .end where ends.isEmpty:
                return body
            default:
                let expected = ends.map { "'\($0)'" }.joined(separator: " or ")
                throw unexpected(expected: ends.isEmpty ? "text or a tag" : expected)
            }
        }
    }

    /// Reads the rest of an opening tag, a body, and the name of the tag that ends it.
    private mutating func parseBlock(until ends: String...) throws -> [StatementNode] {
        _ = skipSymbol(":")
        try expect(.blockEnd)
        return try parseBody(until: ends)
    }

    private mutating func parseStatement() throws -> [StatementNode] {
        let line = line
        let name = try expectName("a tag's name")
        switch name {
        case "if": return [try parseIf()]
        case "for": return [try parseFor(line)]
        case "set": return [try parseSet(line)]
        case "macro": return [try parseMacro(line)]
        case "with": return [try parseWith(line)]
        case "filter": return [try parseFilterBlock(line)]
        case "print": return try parsePrint(line)
        case "generation" where options.hasGenerationBlocks:
            let body = try withoutLoop { try $0.parseBlock(until: "endgeneration") }
            advance()
            return [.generation(body: body, line: line)]
        case "break" where options.hasLoopControls && isInLoop: return [.exitLoop]
        case "continue" where options.hasLoopControls && isInLoop: return [.continueLoop]
        default: throw failure(.unsupported("the tag '\(name)' here"), line: line)
        }
    }

    /// Runs `body` where no loop is around, as inside of captured output.
    private mutating func withoutLoop<T>(_ body: (inout Parser) throws -> T) throws -> T {
        let outer = isInLoop
        isInLoop = false
        defer { isInLoop = outer }
        return try body(&self)
    }

    private mutating func parseIf() throws -> StatementNode {
        var branches: [(test: ExpressionNode, body: [StatementNode], line: Int)] = []
        while true {
            let line = line
            let test = try parseTuple(allowsConditional: false)
            let body = try parseBlock(until: "elif", "else", "endif")
            branches.append((test, body, line))
            if skipName("elif") { continue }
            guard skipName("else") else {
                advance()
                return .conditional(branches, otherwise: [])
            }
            let otherwise = try parseBlock(until: "endif")
            advance()
            return .conditional(branches, otherwise: otherwise)
        }
    }

    private mutating func parseFor(_ line: Int) throws -> StatementNode {
        if isName("loop") { throw unexpected(expected: "a name that is not the loop's own") }
        let target = try parseTarget(end: "in")
        try expect(.name("in"))
        let items = try parseTuple(allowsConditional: false, end: "recursive")
        let condition = skipName("if") ? try parseExpression() : nil
        if isName("recursive") { throw failure(.unsupported("a recursive loop")) }
        let outer = isInLoop
        isInLoop = true
        let body = try parseBlock(until: "endfor", "else")
        isInLoop = outer
        var otherwise: [StatementNode] = []
        if skipName("else") { otherwise = try parseBlock(until: "endfor") }
        advance()
        return .loop(
            LoopNode(
                target: target, items: items, condition: condition, body: body,
                otherwise: otherwise, line: line))
    }

    private mutating func parseSet(_ line: Int) throws -> StatementNode {
        let target = try parseTarget(allowsNamespace: true)
        if skipSymbol("=") { return .assign(target, try parseTuple(), line: line) }
        let filters = isSymbol("|") ? try parseFilters(on: nil) : nil
        let body = try withoutLoop { try $0.parseBlock(until: "endset") }
        advance()
        return .capture(target, filters: filters, body: body, line: line)
    }

    private mutating func parseFilterBlock(_ line: Int) throws -> StatementNode {
        let filters = try parseFilters(on: nil, startsInline: true)
        let body = try withoutLoop { try $0.parseBlock(until: "endfilter") }
        advance()
        return .capture(nil, filters: filters, body: body, line: line)
    }

    private mutating func parsePrint(_ line: Int) throws -> [StatementNode] {
        var statements: [StatementNode] = []
        while current.kind != .blockEnd {
            if !statements.isEmpty { try expect(.symbol(",")) }
            statements.append(.print(try parseExpression(), line: line))
        }
        return statements
    }

    private mutating func parseWith(_ line: Int) throws -> StatementNode {
        var bindings: [(TargetNode, ExpressionNode)] = []
        while current.kind != .blockEnd, !isSymbol(":") {
            if !bindings.isEmpty { try expect(.symbol(",")) }
            let target = try parseTarget()
            try expect(.symbol("="))
            bindings.append((target, try parseExpression()))
        }
        let body = try parseBlock(until: "endwith")
        advance()
        return .with(bindings, body: body, line: line)
    }

    private mutating func parseMacro(_ line: Int) throws -> StatementNode {
        let name = try expectName()
        try expect(.symbol("("))
        let outerRead = namesRead
        namesRead = []
        var parameters: [MacroNode.Parameter] = []
        while !isSymbol(")") {
            if !parameters.isEmpty { try expect(.symbol(",")) }
            let parameter = try expectName("a parameter's name")
            if parameter == "caller" { throw failure(.unsupported("the parameter 'caller'")) }
            let fallback = skipSymbol("=") ? try parseExpression() : nil
            if fallback == nil, parameters.last?.fallback != nil {
                throw failure(
                    .unexpected(found: "'\(parameter)' without a default", expected: "a default"))
            }
            parameters.append(
                MacroNode.Parameter(
                    name: parameter, symbol: symbol(parameter), fallback: fallback))
        }
        advance()
        let body = try withoutLoop { try $0.parseBlock(until: "endmacro") }
        advance()
        func ifRead(_ name: String) -> Int? {
            let symbol = symbol(name)
            let isParameter = parameters.contains { $0.symbol == symbol }
            return namesRead.contains(symbol) && !isParameter ? symbol : nil
        }
        if ifRead("caller") != nil { throw failure(.unsupported("'caller'"), line: line) }
        let varargs = ifRead("varargs")
        let kwargs = ifRead("kwargs")
        namesRead.formUnion(outerRead)
        return .macro(
            MacroNode(
                name: name, symbol: symbol(name), parameters: parameters, body: body,
                varargs: varargs, kwargs: kwargs, line: line))
    }

    /// Reads what an assignment or loop stores to.
    private mutating func parseTarget(
        allowsNamespace: Bool = false, end: String? = nil
    ) throws -> TargetNode {
        let first = try parseSingleTarget(allowsNamespace)
        guard isSymbol(",") else { return first }
        var targets = [first]
        while skipSymbol(",") {
            if let end, isName(end) { break }
            if current.kind == .blockEnd || isSymbol(")") || isSymbol("=") { break }
            targets.append(try parseSingleTarget(allowsNamespace))
        }
        return .tuple(targets)
    }

    private mutating func parseSingleTarget(_ allowsNamespace: Bool) throws -> TargetNode {
        if skipSymbol("(") {
            let inner = try nested { try $0.parseTarget() }
            try expect(.symbol(")"))
            return inner
        }
        let line = line
        let name = try expectName("a name to assign to")
        if ["true", "false", "none", "True", "False", "None"].contains(name) {
            throw failure(
                .unexpected(found: "'\(name)'", expected: "a name to assign to"), line: line)
        }
        guard isSymbol(".") else { return .name(symbol(name)) }
        guard allowsNamespace else { throw unexpected(expected: "a name to assign to") }
        advance()
        let attribute = try expectName("an attribute's name")
        namesRead.insert(symbol(name))
        return .attribute(namespace: name, symbol: symbol(name), name: attribute)
    }
}
