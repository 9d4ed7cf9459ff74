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
