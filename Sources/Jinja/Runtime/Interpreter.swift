/// One run of a template: its tables, its output and what it has used up.
final class Interpreter {
    let options: TemplateOptions
    /// Names by symbol.
    let names: [String]
    let context: ValueDictionary
    /// Line of what is being run, for errors.
    var line = 1
    /// Text written so far by the innermost capture.
    var output = ""
    /// The UTF-8 bytes of the output that `{% generation %}` blocks wrote.
    private(set) var generated: [Range<Int>] = []
    /// Whether ``generated`` is wanted; then such a block may not be in captured text.
    var tracksGeneration = false
    private var captures = 0
    var namespaces: [ValueDictionary] = []
    var macros: [(node: MacroNode, scope: Scope)] = []
    var loops: [LoopState] = []
    /// Items of generators; nil once one has been used up.
    var generators: [[Value]?] = []
    /// The symbol of `loop`, if the template has it.
    let loopSymbol: Int?
    private var steps = 0
    private var depth = 0

    init(names: [String], context: ValueDictionary, options: TemplateOptions) {
        self.names = names
        loopSymbol = names.firstIndex(of: "loop")
        self.context = context
        self.options = options
    }

    /// Counts work; beyond the limit the template is stopped.
    func charge(_ work: Int) throws {
        let (sum, overflow) = steps.addingReportingOverflow(work)
        guard !overflow, sum <= options.limits.steps else {
            throw Reason.limitExceeded("steps", limit: options.limits.steps)
        }
        steps = sum
    }

    /// Refuses a string of more than the greatest length before it is made.
    func checkLength(_ bytes: Int, times count: Int = 1) throws {
        let (total, overflow) = bytes.multipliedReportingOverflow(by: max(count, 0))
        guard !overflow, total <= options.limits.outputBytes else {
            throw Reason.limitExceeded("bytes of text", limit: options.limits.outputBytes)
        }
    }

    /// Runs `body` one level deeper.
    func nested<T>(_ body: () throws -> T) throws -> T {
        depth += 1
        defer { depth -= 1 }
        guard depth <= options.limits.depth else {
            throw Reason.limitExceeded("levels of nesting", limit: options.limits.depth)
        }
        return try body()
    }

    func write(_ text: String) throws {
        try charge(text.utf8.count)
        try checkLength(output.utf8.count + text.utf8.count)
        output += text
    }

    /// The text that `body` writes, instead of writing it.
    func capture(_ body: () throws -> Void) throws -> String {
        let outer = output
        output = ""
        captures += 1
        defer {
            output = outer
            captures -= 1
        }
        try body()
        return output
    }

    /// Runs the body of a `{% generation %}` block.
    func generate(_ body: () throws -> Void) throws {
        guard captures == 0 || !tracksGeneration else {
            throw Reason.unsupported("the tag 'generation' in a macro or in captured text")
        }
        let start = output.utf8.count
        try body()
        if captures == 0 { generated.append(start..<output.utf8.count) }
    }

    /// Checks a value that an operation made, and counts its size.
    func admit(_ value: Value) throws -> Value {
        switch value {
        case .string(let text):
            try checkLength(text.utf8.count)
            try charge(text.utf8.count)
        case .list, .tuple, .dictionary: try checkNesting(value, depth: 1)
        case .object(let object):
            if case .view(_, let items) = object.kind { try checkNesting(.list(items), depth: 1) }
        default: break
        }
        return value
    }

    private func checkNesting(_ value: Value, depth: Int) throws {
        guard depth <= options.limits.valueDepth else {
            throw Reason.limitExceeded("levels of nested values", limit: options.limits.valueDepth)
        }
        switch value {
        case .list(let items), .tuple(let items):
            try charge(items.count)
            for item in items { try checkNesting(item, depth: depth + 1) }
        case .dictionary(let dictionary):
            try charge(dictionary.count)
            for item in dictionary.keys { try checkNesting(item, depth: depth + 1) }
            for item in dictionary.values { try checkNesting(item, depth: depth + 1) }
        case .object(let object):
            switch object.kind {
            case .view(_, let items): try checkNesting(.list(items), depth: depth + 1)
            case .method(let receiver, _): try checkNesting(receiver, depth: depth + 1)
            default: break
            }
        default: break
        }
    }

    /// The value of a name: set by the template, given by the caller, or a built-in function.
    func value(of symbol: Int, in scope: Scope) throws -> Value {
        if let value = scope.value(symbol) { return value }
        let name = names[symbol]
        if let value = context[name] { return value }
        if let builtin = Builtin(rawValue: name) {
            switch builtin {
            case .range, .dict, .namespace: return .object(builtin)
            case .raiseException, .strftimeNow:
                if options.hasChatFunctions { return .object(builtin) }
            }
        }
        if ["cycler", "joiner", "lipsum", "self"].contains(name) {
            throw Reason.unsupported("the built-in name '\(name)'")
        }
        return .missing("'\(name)' is undefined")
    }
}

extension Value {
    static func object(_ kind: TemplateObject.Kind) -> Value {
        .object(TemplateObject(kind: kind))
    }

    static func object(_ builtin: Builtin) -> Value { .object(.builtin(builtin)) }
}
