import Python

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
