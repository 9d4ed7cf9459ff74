import Python

extension Interpreter {
    /// Calls a function, method or macro.
    func call(_ callee: Value, _ arguments: Arguments) throws -> Value {
        try charge(8)
        switch callee {
        case .undefined(let undefined): throw Reason.undefined(undefined.hint)
        case .function(let function): return try function.body(arguments)
        case .object(let object):
            switch object.kind {
            case .macro(let place): return try callMacro(place, arguments)
            case .builtin(let builtin): return try call(builtin, arguments)
            case .method(let receiver, let name):
                return try callMethod(name, of: receiver, arguments)
            case .loop: throw Reason.unsupported("a call of 'loop'")
            default: break
            }
        default: break
        }
        throw Reason.wrongType(operation: "a call", found: callee.typeName)
    }

    private func callMethod(
        _ name: String, of receiver: Value, _ arguments: Arguments
    ) throws -> Value {
        switch receiver {
        case .string(let text): return try callStringMethod(name, text, arguments)
        case .dictionary(let dictionary):
            return try callDictionaryMethod(name, dictionary, arguments)
        case .list(let items), .tuple(let items):
            return try callSequenceMethod(name, items, arguments)
        case .float(let value):
            _ = try arguments.bind(name, [])
            return .bool(value.isFinite && value == value.rounded(.towardZero))
        case .object(let object):
            guard case .loop(let place) = object.kind else { break }
            return try callLoopMethod(name, loops[place], arguments)
        default: break
        }
        throw Reason.unsupported("the method '\(name)' of \(receiver.typeName)")
    }

    private func callLoopMethod(
        _ name: String, _ loop: LoopState, _ arguments: Arguments
    ) throws -> Value {
        guard arguments.named.isEmpty else {
            throw Reason.wrongArguments(callee: name, problem: "arguments by name")
        }
        let values = arguments.positional
        if name == "cycle" {
            guard !values.isEmpty else {
                throw Reason.wrongArguments(
                    callee: name, problem: "there is nothing to choose from")
            }
            return values[loop.index % values.count]
        }
        if let last = loop.lastChecked, try equal(.tuple(last), .tuple(values)) {
            return .bool(false)
        }
        loop.lastChecked = values
        return .bool(true)
    }

    private func callMacro(_ place: Int, _ arguments: Arguments) throws -> Value {
        let (node, definition) = macros[place]
        let parameters = node.parameters
        func fail(_ problem: String) -> Reason {
            .wrongArguments(callee: "macro '\(node.name)'", problem: problem)
        }
        let extra = arguments.positional.dropFirst(parameters.count)
        guard extra.isEmpty || node.varargs != nil else {
            throw fail(
                "\(arguments.positional.count) arguments by place, at most \(parameters.count)")
        }
        let scope = Scope(in: definition)
        var named = arguments.named
        var missing: [MacroNode.Parameter] = []
        for (index, parameter) in parameters.enumerated() {
            let match = named.firstIndex { $0.name.hasSameScalars(as: parameter.name) }
            if index < arguments.positional.count {
                scope.set(parameter.symbol, arguments.positional[index])
            } else if let match {
                scope.set(parameter.symbol, named.remove(at: match).value)
            } else {
                scope.set(
                    parameter.symbol, .missing("parameter '\(parameter.name)' was not provided"))
                missing.append(parameter)
            }
        }
        if let symbol = node.kwargs {
            var dictionary = ValueDictionary()
            for (name, value) in named { dictionary[name] = value }
            scope.set(symbol, .dictionary(dictionary))
        } else if let surplus = named.first {
            throw fail("there is no parameter '\(surplus.name)'")
        }
        if let symbol = node.varargs { scope.set(symbol, .tuple(Array(extra))) }
        let callLine = line
        for parameter in missing {
            if let fallback = parameter.fallback {
                scope.set(parameter.symbol, try evaluate(fallback, in: scope))
            }
        }
        let text = try capture { _ = try run(node.body, in: scope) }
        line = callLine
        return .string(text)
    }

    private func call(_ builtin: Builtin, _ arguments: Arguments) throws -> Value {
        switch builtin {
        case .range: return try makeRange(arguments)
        case .dict: return .dictionary(try makeDictionary("dict", arguments))
        case .namespace:
            // It is kept until the template has run.
            try charge(8)
            namespaces.append(try makeDictionary("namespace", arguments))
            return .object(.namespace(namespaces.count - 1))
        case .raiseException:
            let message = try arguments.bind(builtin.rawValue, ["message"], required: 1)[0]
            throw Reason.raised(try text(of: message ?? .none))
        case .strftimeNow:
            let format = try arguments.bind(builtin.rawValue, ["format"], required: 1)[0]
            guard case .string(let format) = format else {
                throw Reason.wrongType(
                    operation: builtin.rawValue, found: format?.typeName ?? "nothing")
            }
            guard let time = options.localTime else {
                throw Reason.unsupported("'strftime_now' without a time given by the caller")
            }
            return .string(try time.formatted(format))
        }
    }

    private func makeRange(_ arguments: Arguments) throws -> Value {
        guard arguments.named.isEmpty, (1...3).contains(arguments.positional.count) else {
            throw Reason.wrongArguments(callee: "range", problem: "expected 1 to 3 by place")
        }
        let numbers = try arguments.positional.map { value in
            if case .undefined(let undefined) = value { throw Reason.undefined(undefined.hint) }
            guard let number = value.integer else {
                throw Reason.wrongType(operation: "range", found: value.typeName)
            }
            return number
        }
        let range = try PythonRange(
            start: numbers.count == 1 ? 0 : numbers[0],
            stop: numbers.count == 1 ? numbers[0] : numbers[1],
            step: numbers.count == 3 ? numbers[2] : 1)
        if let limit = options.maximumRange, range.count > limit {
            throw Reason.limitExceeded("numbers in a range", limit: limit)
        }
        return .object(.range(range))
    }

    private func makeDictionary(_ callee: String, _ arguments: Arguments) throws -> ValueDictionary
    {
        var dictionary = ValueDictionary()
        guard arguments.positional.count <= 1 else {
            throw Reason.wrongArguments(callee: callee, problem: "more than 1 argument by place")
        }
        if case .dictionary(let given)? = arguments.positional.first {
            dictionary = given
        } else if let given = arguments.positional.first {
            for pair in try items(of: given, for: callee) {
                let entry = try items(of: pair, for: callee)
                guard entry.count == 2 else {
                    throw Reason.invalid(operation: callee, problem: "an entry is no pair")
                }
                try requireHashable(entry[0])
                try dictionary.insert(entry[0], entry[1])
            }
        }
        for (name, value) in arguments.named { dictionary[name] = value }
        return dictionary
    }
}
