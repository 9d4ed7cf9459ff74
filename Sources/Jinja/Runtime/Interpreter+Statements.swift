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
