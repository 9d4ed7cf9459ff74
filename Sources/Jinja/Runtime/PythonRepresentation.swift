import Python

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
