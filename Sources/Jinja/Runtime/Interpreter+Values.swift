import Python

extension Interpreter {
    /// A comparison, as Python makes it.
    func compare(_ left: Value, _ comparison: ComparisonOperator, _ right: Value) throws -> Bool {
        switch comparison {
        case .equal: try equal(left, right)
        case .notEqual: try !equal(left, right)
        case .less: try less(left, right)
        case .greater: try less(right, left)
        case .lessOrEqual: try lessOrEqual(left, right)
        case .greaterOrEqual: try lessOrEqual(right, left)
        case .contained: try contains(right, left)
        case .notContained: try !contains(right, left)
        }
    }

    /// Python's `==`.
    func equal(_ left: Value, _ right: Value) throws -> Bool {
        try requireDefined(left)
        try requireDefined(right)
        if let order = numericOrder(left, right) { return order == .same }
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let a), .string(let b)): return a.hasSameScalars(as: b)
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            try charge(min(a.count, b.count))
            return try a.count == b.count && zip(a, b).allSatisfy { try equal($0, $1) }
        case (.dictionary(let a), .dictionary(let b)):
            try charge(min(a.count, b.count))
            guard a.count == b.count else { return false }
            return try zip(a.keys, a.values).allSatisfy { key, value in
                guard let other = b.value(try DictionaryKey(key)) else { return false }
                return try equal(value, other)
            }
        case (.object(let a), .object(let b)): return try equal(a.kind, b.kind)
        default: return false
        }
    }

    private func equal(_ left: TemplateObject.Kind, _ right: TemplateObject.Kind) throws -> Bool {
        switch (left, right) {
        case (.markup, _), (_, .markup), (.view, _), (_, .view), (.range, .range):
            throw Reason.unsupported("comparing \(left.typeName) with \(right.typeName)")
        default: return left == right
        }
    }

    /// How two numbers stand to each other.
    private enum Order {
        case below
        case same
        case above
        case unordered
    }

    /// The exact order of two numbers; nil if one of them is none.
    private func numericOrder(_ left: Value, _ right: Value) -> Order? {
        func order<T: Comparable>(_ a: T, _ b: T) -> Order {
            a < b ? .below : a == b ? .same : a > b ? .above : .unordered
        }
        if let a = left.integer, let b = right.integer { return order(a, b) }
        if case .float(let a) = left {
            if case .float(let b) = right { return order(a, b) }
            return right.integer.flatMap { numericOrder(.int($0), left) }.map {
                $0 == .below ? .above : $0 == .above ? .below : $0
            }
        }
        guard let a = left.integer, case .float(let b) = right else { return nil }
        if b.isNaN { return .unordered }
        if b >= 0x1p63 { return .below }
        if b < -0x1p63 { return .above }
        // The whole part decides, and a fraction only if it is equal.
        let whole = b.rounded(.down)
        let byWhole = order(a, Int(whole))
        return byWhole == .same && b > whole ? .below : byWhole
    }

    /// Python's `<`.
    func less(_ left: Value, _ right: Value) throws -> Bool {
        if let order = numericOrder(left, right) { return order == .below }
        switch (left, right) {
        case (.string(let a), .string(let b)): return a.precedes(b)
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            try charge(min(a.count, b.count))
            for (x, y) in zip(a, b) where try !equal(x, y) { return try less(x, y) }
            return a.count < b.count
        case (.undefined(let undefined), _), (_, .undefined(let undefined)):
            throw Reason.undefined(undefined.hint)
        default:
            throw Reason.wrongType(
                operation: "an order", found: "\(left.typeName) and \(right.typeName)")
        }
    }

    private func lessOrEqual(_ left: Value, _ right: Value) throws -> Bool {
        if let order = numericOrder(left, right) { return order == .below || order == .same }
        return try less(left, right) || equal(left, right)
    }

    /// Python's `item in container`.
    func contains(_ container: Value, _ item: Value) throws -> Bool {
        switch container {
        case .string(let text):
            if case .undefined(let undefined) = item { throw Reason.undefined(undefined.hint) }
            guard case .string(let part) = item else {
                throw Reason.wrongType(operation: "'in' a string", found: item.typeName)
            }
            try charge(text.utf8.count)
            return text.containsScalars(part)
        case .dictionary(let dictionary):
            try requireHashable(item)
            return dictionary.value(try DictionaryKey(item)) != nil
        case .object(let object):
            if case .namespace = object.kind {
                throw Reason.wrongType(operation: "'in'", found: container.typeName)
            }
        default: break
        }
        let items = try items(of: container, for: "'in'")
        try charge(items.count)
        return try items.contains { try equal($0, item) }
    }

    /// A stable sort, descending ones keeping equal items in their order too, as Python's does.
    func sorted(
        _ items: [Value], descending: Bool, by key: (Value) throws -> Value
    ) throws -> [Value] {
        try charge(items.count)
        let keyed = try items.map { (key: try key($0), item: $0) }
        let order = try keyed.indices.sorted { a, b in
            try charge(1)
            let (first, second) = descending ? (b, a) : (a, b)
            if try less(keyed[first].key, keyed[second].key) { return true }
            if try less(keyed[second].key, keyed[first].key) { return false }
            return a < b
        }
        return order.map { keyed[$0].item }
    }
}

extension Interpreter {
    private var isStrict: Bool { options.undefined == .strict }

    /// Refuses an undefined value where the environment is strict.
    func requireDefined(_ value: Value) throws {
        if case .undefined(let undefined) = value, isStrict, !undefined.isLenient {
            throw Reason.undefined(undefined.hint)
        }
    }

    /// Refuses what cannot be a key.
    func requireHashable(_ value: Value) throws {
        try requireDefined(value)
        _ = try DictionaryKey(value)
    }

    /// Python's `str`.
    func text(of value: Value) throws -> String {
        switch value {
        case .string(let text): return text
        case .undefined:
            try requireDefined(value)
            return ""
        case .object(let object):
            if case .markup(let text) = object.kind { return text }
        default: break
        }
        var writer = PythonRepresentation(limit: options.limits.outputBytes)
        try writer.write(value)
        try charge(writer.text.utf8.count)
        return writer.text
    }

    /// Python's truth of a value.
    func isTrue(_ value: Value) throws -> Bool {
        switch value {
        case .undefined:
            try requireDefined(value)
            return false
        case .none: return false
        case .bool(let value): return value
        case .int(let value): return value != 0
        case .float(let value): return value != 0
        case .string(let text): return !text.isEmpty
        case .list(let items), .tuple(let items): return !items.isEmpty
        case .dictionary(let dictionary): return !dictionary.isEmpty
        case .function: return true
        case .object(let object):
            switch object.kind {
            case .range(let range): return range.count > 0
            case .view(_, let items): return !items.isEmpty
            case .markup(let text): return !text.isEmpty
            default: return true
            }
        }
    }

    /// The items that iterating a value gives; a generator is used up by it.
    func items(of value: Value, for operation: String) throws -> [Value] {
        if let items = try itemsIfIterable(value) { return items }
        throw Reason.wrongType(operation: operation, found: value.typeName)
    }

    /// The items of a value; nil if it cannot be iterated.
    private func itemsIfIterable(_ value: Value) throws -> [Value]? {
        switch value {
        case .undefined:
            try requireDefined(value)
            return []
        case .list(let items), .tuple(let items): return items
        case .dictionary(let dictionary): return dictionary.keys
        case .string(let text):
            try charge(text.utf8.count)
            return text.unicodeScalars.map { .string(String($0)) }
        case .object(let object):
            switch object.kind {
            case .range(let range):
                try charge(range.count)
                return (0..<range.count).map { .int(range[$0]) }
            case .view(_, let items): return items
            case .generator(let place):
                defer { generators[place] = nil }
                return generators[place] ?? []
            case .loop: throw Reason.unsupported("iterating the loop object")
            default: return nil
            }
        default: return nil
        }
    }

    /// A generator over items, as filters such as `map` return it.
    func generator(_ items: [Value]) -> Value {
        generators.append(.some(items))
        return .object(.generator(generators.count - 1))
    }

    /// Python's `len`.
    func length(of value: Value) throws -> Int {
        switch value {
        case .undefined:
            try requireDefined(value)
            return 0
        case .string(let text): return text.unicodeScalars.count
        case .list(let items), .tuple(let items): return items.count
        case .dictionary(let dictionary): return dictionary.count
        case .object(let object):
            switch object.kind {
            case .range(let range): return range.count
            case .view(_, let items): return items.count
            case .markup(let text): return text.unicodeScalars.count
            case .loop(let place): return try loops[place].length()
            default: break
            }
        default: break
        }
        throw Reason.wrongType(operation: "length", found: value.typeName)
    }
}

/// Writes values as Python's `repr` does, up to a greatest length.
struct PythonRepresentation {
    private(set) var text = ""
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func write(_ value: Value) throws {
        guard text.utf8.count <= limit else {
            throw Reason.limitExceeded("bytes of text", limit: limit)
        }
        switch value {
        case .undefined: text += "Undefined"
        case .none: text += "None"
        case .bool(let value): text += value ? "True" : "False"
        case .int(let value): text += String(value)
        case .float(let value): text += PythonFloat.repr(value)
        case .string(let string): text += string.pythonRepresentation
        case .list(let items): try write(items, between: "[", and: "]")
        case .tuple(let items): try write(items, between: "(", and: items.count == 1 ? ",)" : ")")
        case .dictionary(let dictionary):
            text += "{"
            for (index, key) in dictionary.keys.enumerated() {
                if index > 0 { text += ", " }
                try write(key)
                text += ": "
                try write(dictionary.values[index])
            }
            text += "}"
        case .object(let object): try write(object.kind)
        case .function: throw Reason.unsupported("printing \(value.typeName)")
        }
    }

    private mutating func write(_ object: TemplateObject.Kind) throws {
        switch object {
        case .range(let range):
            text += "range(\(range.start), \(range.stop)"
            text += range.step == 1 ? ")" : ", \(range.step))"
        case .view(let kind, let items):
            text += kind.rawValue
            try write(items, between: "([", and: "])")
        default: throw Reason.unsupported("printing \(object.typeName)")
        }
    }

    private mutating func write(
        _ items: [Value], between open: String, and close: String
    ) throws {
        text += open
        for (index, item) in items.enumerated() {
            if index > 0 { text += ", " }
            try write(item)
        }
        text += close
    }
}
