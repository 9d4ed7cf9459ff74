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

/// How a statement ended.
enum Flow {
    case normal
    case exitLoop
    case continueLoop
}

extension Interpreter {
    /// Runs statements in order.
    func run(_ body: [StatementNode], in scope: Scope) throws -> Flow {
        try nested {
            for statement in body {
                try charge(2)
                let flow = try run(statement, in: scope)
                if flow != .normal { return flow }
            }
            return .normal
        }
    }

    private func run(_ statement: StatementNode, in scope: Scope) throws -> Flow {
        switch statement {
        case .text(let text): try write(text)
        case .print(let expression, let line):
            self.line = line
            try write(try text(of: try evaluate(expression, in: scope)))
        case .conditional(let branches, let otherwise):
            return try runConditional(branches, otherwise, in: scope)
        case .loop(let node): return try runLoop(node, in: scope)
        case .assign(let target, let expression, let line):
            self.line = line
            try assign(try evaluate(expression, in: scope), to: target, in: scope)
        case .capture(let target, let filters, let body, let line):
            try runCapture(target, filters, body, line, in: scope)
        case .macro(let node):
            macros.append((node, scope))
            scope.set(node.symbol, .object(.macro(macros.count - 1)))
        case .with(let bindings, let body, let line):
            self.line = line
            let inner = Scope(in: scope)
            for (target, expression) in bindings {
                try assign(try evaluate(expression, in: scope), to: target, in: inner)
            }
            return try run(body, in: inner)
        case .generation(let body, let line):
            self.line = line
            try generate { _ = try run(body, in: Scope(in: scope)) }
        case .exitLoop: return .exitLoop
        case .continueLoop: return .continueLoop
        }
        return .normal
    }

    private func runConditional(
        _ branches: [(test: ExpressionNode, body: [StatementNode], line: Int)],
        _ otherwise: [StatementNode], in scope: Scope
    ) throws -> Flow {
        for branch in branches {
            line = branch.line
            if try isTrue(try evaluate(branch.test, in: scope)) {
                return try run(branch.body, in: scope)
            }
        }
        return try run(otherwise, in: scope)
    }

    private func runCapture(
        _ target: TargetNode?, _ filters: ExpressionNode?, _ body: [StatementNode], _ line: Int,
        in scope: Scope
    ) throws {
        self.line = line
        let inner = Scope(in: scope)
        let text = try capture { _ = try run(body, in: inner) }
        var value = Value.string(text)
        if let filters { value = try evaluate(filters, in: inner, filtering: value) }
        if let target {
            try assign(value, to: target, in: scope)
        } else {
            try write(try self.text(of: value))
        }
    }

    private func runLoop(_ node: LoopNode, in scope: Scope) throws -> Flow {
        line = node.line
        let items = try items(of: try evaluate(node.items, in: scope), for: "iteration")
        var condition: ((Value) throws -> Bool)?
        if let test = node.condition {
            condition = { [self] item in
                let inner = Scope(in: scope)
                try assign(item, to: node.target, in: inner)
                return try isTrue(try evaluate(test, in: inner))
            }
        }
        let state = LoopState(items, condition: condition)
        loops.append(state)
        let handle = Value.object(.loop(loops.count - 1))
        while try state.advance() {
            // A pass makes a scope of its own, even if nothing is done in it.
            try charge(4)
            let inner = Scope(in: scope)
            try assign(state.current, to: node.target, in: inner)
            if let loopSymbol { inner.set(loopSymbol, handle) }
            if try run(node.body, in: inner) == .exitLoop { break }
        }
        guard !state.hasRun else { return .normal }
        return try run(node.otherwise, in: Scope(in: scope))
    }

    /// Stores a value, taking it apart for a tuple of targets.
    func assign(_ value: Value, to target: TargetNode, in scope: Scope) throws {
        switch target {
        case .name(let symbol): scope.set(symbol, value)
        case .tuple(let targets):
            let items = try items(of: value, for: "unpacking")
            guard items.count == targets.count else {
                throw Reason.invalid(
                    operation: "unpacking",
                    problem: "\(items.count) values for \(targets.count) names")
            }
            for (item, target) in zip(items, targets) { try assign(item, to: target, in: scope) }
        case .attribute(let namespace, let symbol, let name):
            let object = try self.value(of: symbol, in: scope)
            guard case .object(let object) = object, case .namespace(let place) = object.kind else {
                throw Reason.wrongType(
                    operation: "assignment to '\(namespace).\(name)'", found: object.typeName)
            }
            namespaces[place][name] = value
        }
    }
}

/// The names that a part of a template has set, and the scope around it.
///
/// Macros keep the scope they were defined in, and see what is set there later.
final class Scope {
    private let parent: Scope?
    private var symbols: [Int] = []
    private var values: [Value] = []

    init(in parent: Scope?) { self.parent = parent }

    func value(_ symbol: Int) -> Value? {
        var scope: Scope? = self
        while let current = scope {
            if let place = current.symbols.firstIndex(of: symbol) { return current.values[place] }
            scope = current.parent
        }
        return nil
    }

    func set(_ symbol: Int, _ value: Value) {
        if let place = symbols.firstIndex(of: symbol) {
            values[place] = value
        } else {
            symbols.append(symbol)
            values.append(value)
        }
    }
}

/// Where a `for` statement stands; the object `loop` reads it.
final class LoopState {
    private let items: [Value]
    private var cursor = 0
    private let condition: ((Value) throws -> Bool)?
    /// Items that passed the condition before their turn, because the template looked ahead.
    private var ahead: [Value] = []
    /// Place of the present item, from 0.
    private(set) var index = -1
    private(set) var previous: Value?
    private(set) var current = Value.none
    /// The arguments of the last call of `changed`.
    var lastChecked: [Value]?

    /// Creates the state before the first item; `condition` picks the items.
    init(_ items: [Value], condition: ((Value) throws -> Bool)?) {
        self.items = items
        self.condition = condition
    }

    var hasRun: Bool { index >= 0 }

    /// Goes to the next item; false at the end.
    func advance() throws -> Bool {
        guard let item = ahead.isEmpty ? try pull() : ahead.removeFirst() else { return false }
        previous = hasRun ? current : nil
        current = item
        index += 1
        return true
    }

    /// The item after the present one.
    func next() throws -> Value? {
        if ahead.isEmpty, let item = try pull() { ahead.append(item) }
        return ahead.first
    }

    /// Number of items in all.
    func length() throws -> Int {
        if condition == nil { return items.count }
        while let item = try pull() { ahead.append(item) }
        return index + 1 + ahead.count
    }

    private func pull() throws -> Value? {
        while cursor < items.count {
            cursor += 1
            let item = items[cursor - 1]
            if try condition?(item) ?? true { return item }
        }
        return nil
    }
}
