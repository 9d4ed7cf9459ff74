extension Interpreter {
    /// Applies `tojson` in the environment's style.
    func applyJSON(to value: Value, _ arguments: Arguments) throws -> Value {
        if options.json == .htmlSafe {
            let reader = try ArgumentReader(arguments, of: "tojson", ["indent"])
            var writer = JSONWriter(limit: options.limits.outputBytes)
            writer.sortsKeys = true
            writer.escapesHTML = true
            try writer.setIndentation(reader.optional(0))
            return .object(.markup(try json(value, writer)))
        }
        let reader = try ArgumentReader(
            arguments, of: "tojson", ["ensure_ascii", "indent", "separators", "sort_keys"])
        var writer = JSONWriter(limit: options.limits.outputBytes)
        writer.escapesNonASCII = try isTrue(reader[0] ?? .bool(false))
        writer.sortsKeys = try isTrue(reader[3] ?? .bool(false))
        try writer.setIndentation(reader.optional(1))
        if let separators = reader.optional(2) {
            let pair = try items(of: separators, for: "tojson")
            guard pair.count == 2, case .string(let item) = pair[0], case .string(let key) = pair[1]
            else {
                throw Reason.invalid(operation: "tojson", problem: "separators are no two strings")
            }
            writer.itemSeparator = item
            writer.keySeparator = key
        }
        return .string(try json(value, writer))
    }

    private func json(_ value: Value, _ writer: JSONWriter) throws -> String {
        var writer = writer
        try writer.write(value) { try self.less($0, $1) }
        return writer.text
    }
}

/// Writes JSON as Python's `json.dumps` does.
struct JSONWriter {
    var escapesNonASCII = true
    var escapesHTML = false
    var sortsKeys = false
    var itemSeparator = ", "
    var keySeparator = ": "
    private(set) var text = ""
    private var indentation: String?
    private var depth = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Takes the argument `indent`: a number of blanks or the indentation itself.
    mutating func setIndentation(_ value: Value?) throws {
        guard let value else { return }
        if case .string(let text) = value {
            indentation = text
        } else if let width = value.integer {
            guard width <= limit else {
                throw Reason.limitExceeded("bytes of text", limit: limit)
            }
            indentation = String(repeating: " ", count: max(0, width))
        } else {
            throw Reason.wrongType(operation: "the argument 'indent'", found: value.typeName)
        }
        itemSeparator = ","
    }

    mutating func write(_ value: Value, order: (Value, Value) throws -> Bool) throws {
        guard text.utf8.count <= limit else {
            throw Reason.limitExceeded("bytes of text", limit: limit)
        }
        switch value {
        case .none: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .float(let value): text += number(value)
        case .string(let string): write(string)
        case .list(let items), .tuple(let items):
            try write(items, "[", "]") { writer, item in try writer.write(item, order: order) }
        case .dictionary(let dictionary):
            var entries = Array(zip(dictionary.keys, dictionary.values))
            if sortsKeys { entries = try entries.sorted { try order($0.0, $1.0) } }
            try write(entries, "{", "}") { writer, entry in
                writer.write(try writer.key(entry.0))
                writer.text += writer.keySeparator
                try writer.write(entry.1, order: order)
            }
        case .undefined, .function, .object:
            throw Reason.wrongType(operation: "the filter 'tojson'", found: value.typeName)
        }
    }

    private mutating func write<T>(
        _ items: [T], _ open: String, _ close: String,
        _ body: (inout JSONWriter, T) throws -> Void
    ) throws {
        text += open
        depth += 1
        for (index, item) in items.enumerated() {
            if index > 0 { text += itemSeparator }
            try breakLine()
            try body(&self, item)
        }
        depth -= 1
        if !items.isEmpty { try breakLine() }
        text += close
    }

    private mutating func breakLine() throws {
        guard let indentation else { return }
        guard text.utf8.count + indentation.utf8.count * depth <= limit else {
            throw Reason.limitExceeded("bytes of text", limit: limit)
        }
        text += "\n" + String(repeating: indentation, count: depth)
    }

    private func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : value.pythonDescription
    }

    private func key(_ key: Value) throws -> String {
        switch key {
        case .string(let text): return text
        case .int(let value): return String(value)
        case .float(let value): return number(value)
        case .bool(let value): return value ? "true" : "false"
        case .none: return "null"
        default: throw Reason.wrongType(operation: "a key of JSON", found: key.typeName)
        }
    }

    private mutating func write(_ string: String) {
        var view = String.UnicodeScalarView()
        view.append("\"")
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": view.append(contentsOf: "\\\"".unicodeScalars)
            case "\\": view.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": view.append(contentsOf: "\\n".unicodeScalars)
            case "\r": view.append(contentsOf: "\\r".unicodeScalars)
            case "\t": view.append(contentsOf: "\\t".unicodeScalars)
            case "\u{08}": view.append(contentsOf: "\\b".unicodeScalars)
            case "\u{0C}": view.append(contentsOf: "\\f".unicodeScalars)
            case "<" where escapesHTML, ">" where escapesHTML, "&" where escapesHTML,
                "'" where escapesHTML:
                view.append(contentsOf: "\\u\(scalar.hexadecimal(4))".unicodeScalars)
            case _ where scalar.value < 0x20 || (escapesNonASCII && scalar.value > 0x7E):
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                    let digits = String(unit, radix: 16)
                    let zeros = String(repeating: "0", count: 4 - digits.count)
                    view.append(contentsOf: ("\\u" + zeros + digits).unicodeScalars)
                }
            default: view.append(scalar)
            }
        }
        view.append("\"")
        text += String(view)
    }
}
