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
    func itemsIfIterable(_ value: Value) throws -> [Value]? {
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
