import Python

extension Interpreter {
    /// Applies `tojson` in the environment's style.
    func applyJSON(to value: Value, _ arguments: Arguments) throws -> Value {
        var style = PythonJSON.Style()
        if options.json == .htmlSafe {
            let reader = try ArgumentReader(arguments, of: "tojson", ["indent"])
            style.escapesHTML = true
            try setIndentation(reader.optional(0), of: &style)
            return .object(.markup(try json(value, style, sortsKeys: true)))
        }
        let reader = try ArgumentReader(
            arguments, of: "tojson", ["ensure_ascii", "indent", "separators", "sort_keys"])
        style.escapesNonASCII = try isTrue(reader[0] ?? .bool(false))
        try setIndentation(reader.optional(1), of: &style)
        if let separators = reader.optional(2) {
            let pair = try items(of: separators, for: "tojson")
            guard pair.count == 2, case .string(let item) = pair[0], case .string(let key) = pair[1]
            else {
                throw Reason.invalid(operation: "tojson", problem: "separators are no two strings")
            }
            style.itemSeparator = item
            style.keySeparator = key
        }
        return .string(
            try json(value, style, sortsKeys: isTrue(reader[3] ?? .bool(false))))
    }

    /// Takes the argument `indent`: a number of blanks or the indentation itself.
    private func setIndentation(_ value: Value?, of style: inout PythonJSON.Style) throws {
        guard let value else { return }
        if case .string(let text) = value {
            style.indentation = text
        } else if let width = value.integer {
            try checkLength(max(0, width))
            style.indentation = String(repeating: " ", count: max(0, width))
        } else {
            throw Reason.wrongType(operation: "the argument 'indent'", found: value.typeName)
        }
        style.itemSeparator = ","
    }

    private func json(
        _ value: Value, _ style: PythonJSON.Style, sortsKeys: Bool
    ) throws -> String {
        var json = PythonJSON(style, limit: options.limits.outputBytes)
        try write(value, to: &json, sortsKeys)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private func write(_ value: Value, to json: inout PythonJSON, _ sortsKeys: Bool) throws {
        switch value {
        case .none: json.null()
        case .bool(let value): json.bool(value)
        case .int(let value): json.integer(value)
        case .float(let value): json.number(value)
        case .string(let string): json.string(string)
        case .list(let items), .tuple(let items):
            json.begin("[")
            for (index, item) in items.enumerated() {
                json.separate(isFirst: index == 0)
                try write(item, to: &json, sortsKeys)
            }
            json.end("]", isEmpty: items.isEmpty)
        case .dictionary(let dictionary):
            var entries = Array(zip(dictionary.keys, dictionary.values))
            if sortsKeys { entries = try entries.sorted { try less($0.0, $1.0) } }
            json.begin("{")
            for (index, entry) in entries.enumerated() {
                json.separate(isFirst: index == 0)
                json.key(try key(entry.0))
                try write(entry.1, to: &json, sortsKeys)
            }
            json.end("}", isEmpty: entries.isEmpty)
        case .undefined, .function, .object:
            throw Reason.wrongType(operation: "the filter 'tojson'", found: value.typeName)
        }
        if json.isFull {
            throw Reason.limitExceeded("bytes of text", limit: options.limits.outputBytes)
        }
    }

    private func key(_ key: Value) throws -> String {
        switch key {
        case .string(let text): return text
        case .int(let value): return String(value)
        case .float(let value): return PythonJSON.text(of: value)
        case .bool(let value): return value ? "true" : "false"
        case .none: return "null"
        default: throw Reason.wrongType(operation: "a key of JSON", found: key.typeName)
        }
    }
}
