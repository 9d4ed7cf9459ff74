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

extension Interpreter {
    /// `object.name`: a method or field first, then an item, as Jinja looks it up.
    func attribute(_ name: String, of object: Value) throws -> Value {
        if case .undefined(let undefined) = object { throw Reason.undefined(undefined.hint) }
        if name.hasPrefix("__") { throw Reason.unsupported("the attribute '\(name)'") }
        if let value = try field(name, of: object) { return value }
        if case .dictionary(let dictionary) = object, let value = dictionary[name] { return value }
        return .missing("\(object.typeName) has no attribute '\(name)'")
    }

    /// `object[key]`: an item first, then, for a string, a method or field.
    func item(_ key: Value, of object: Value) throws -> Value {
        if case .undefined(let undefined) = object { throw Reason.undefined(undefined.hint) }
        if case .dictionary(let dictionary) = object {
            try requireDefined(key)
            if let position = try? DictionaryKey(key), let value = dictionary.value(position) {
                return value
            }
        } else if let index = key.integer, let value = try element(index, of: object) {
            return value
        }
        guard case .string(let name) = key else {
            return .missing("\(object.typeName) has no element \(try text(ofKey: key))")
        }
        if name.hasPrefix("__") { throw Reason.unsupported("the attribute '\(name)'") }
        return try field(name, of: object)
            ?? .missing("\(object.typeName) has no attribute '\(name)'")
    }

    private func text(ofKey key: Value) throws -> String {
        if let index = key.integer { return "\(index)" }
        return "of that key, which is \(key.typeName)"
    }

    /// The element at an index, from the end if negative; nil outside or where there are none.
    private func element(_ index: Int, of object: Value) throws -> Value? {
        func place(_ count: Int) -> Int? {
            let place = index < 0 ? index + count : index
            return place >= 0 && place < count ? place : nil
        }
        switch object {
        case .list(let items), .tuple(let items): return place(items.count).map { items[$0] }
        case .string(let text):
            let scalars = text.unicodeScalars
            // Only a negative index needs the length, which takes a pass over the text.
            let bound = index < 0 ? place(scalars.count) : index
            guard let bound,
                let position = scalars.index(
                    scalars.startIndex, offsetBy: bound, limitedBy: scalars.endIndex),
                position < scalars.endIndex
            else { return nil }
            try charge(bound)
            return .string(String(scalars[position]))
        case .object(let object):
            guard case .range(let range) = object.kind else { return nil }
            return place(range.count).map { .int(range[$0]) }
        default: return nil
        }
    }

    /// A method or field that the type itself has; nil if it has none of that name.
    private func field(_ name: String, of object: Value) throws -> Value? {
        switch object {
        case .object(let inner):
            switch inner.kind {
            case .namespace(let place): return namespaces[place][name]
            case .loop(let place): return try loopField(name, loops[place], object)
            case .range where ["start", "stop", "step", "index", "count"].contains(name),
                .macro
            where ["name", "arguments", "catch_kwargs", "catch_varargs", "caller"]
                .contains(name):
                throw Reason.unsupported("the attribute '\(name)' of \(object.typeName)")
            case .markup:
                throw Reason.unsupported("the attribute '\(name)' of \(object.typeName)")
            default: return nil
            }
        default:
            if MethodNames.known(for: object).contains(name) {
                return .object(.method(receiver: object, name: name))
            }
            if MethodNames.refused(for: object).contains(name) {
                throw Reason.unsupported("the method '\(name)' of \(object.typeName)")
            }
            return nil
        }
    }

    private func loopField(_ name: String, _ loop: LoopState, _ object: Value) throws -> Value? {
        switch name {
        case "index": return .int(loop.index + 1)
        case "index0": return .int(loop.index)
        case "revindex": return .int(try loop.length() - loop.index)
        case "revindex0": return .int(try loop.length() - loop.index - 1)
        case "first": return .bool(loop.index == 0)
        case "last": return .bool(try loop.next() == nil)
        case "length": return .int(try loop.length())
        // Only recursive loops, which are refused, go deeper.
        case "depth": return .int(1)
        case "depth0": return .int(0)
        case "previtem": return loop.previous ?? .missing("there is no previous item")
        case "nextitem": return try loop.next() ?? .missing("there is no next item")
        case "cycle", "changed": return .object(.method(receiver: object, name: name))
        default: return nil
        }
    }

    /// `object[start:stop:step]`.
    func slice(_ object: Value, _ start: Int?, _ stop: Int?, _ step: Int?) throws -> Value {
        switch object {
        case .undefined(let undefined): throw Reason.undefined(undefined.hint)
        case .list(let items):
            return .list(try places(items.count, start, stop, step).map { items[$0] })
        case .tuple(let items):
            return .tuple(try places(items.count, start, stop, step).map { items[$0] })
        case .string(let text):
            let scalars = Array(text.unicodeScalars)
            try charge(scalars.count)
            let picked = try places(scalars.count, start, stop, step).map { scalars[$0] }
            return .string(String(scalars: picked))
        default: throw Reason.wrongType(operation: "a slice", found: object.typeName)
        }
    }

    /// The places that a slice picks, clamped as Python does.
    private func places(_ count: Int, _ start: Int?, _ stop: Int?, _ step: Int?) throws -> [Int] {
        let step = step ?? 1
        guard step != 0 else { throw Reason.invalid(operation: "a slice", problem: "step is 0") }
        let lowest = step > 0 ? 0 : -1
        let highest = step > 0 ? count : count - 1
        func clamp(_ bound: Int) -> Int {
            // A bound far below zero must not overflow on the way.
            bound < 0 ? max(lowest, max(bound, -count - 1) + count) : min(bound, highest)
        }
        let first = start.map(clamp) ?? (step > 0 ? lowest : highest)
        let last = stop.map(clamp) ?? (step > 0 ? highest : lowest)
        // Steps longer than the sequence pick one element, like the longest that cannot overflow.
        let stride = step > 0 ? min(step, count + 1) : max(step, -count - 1)
        try charge(count)
        return Array(Swift.stride(from: first, to: last, by: stride))
    }
}
