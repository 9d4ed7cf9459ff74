import Python
import RegularExpressions

extension Interpreter {
    /// Applies a filter that gives text.
    func applyText(_ filter: Filter, to value: Value, _ arguments: Arguments) throws -> Value {
        func read(_ parameters: String..., required: Int = 0) throws -> ArgumentReader {
            try ArgumentReader(arguments, of: filter.rawValue, parameters, required: required)
        }
        if case .object(let object) = value, case .markup = object.kind {
            if filter == .string || filter == .safe || filter == .escape { return value }
            throw Reason.unsupported("the filter '\(filter.rawValue)' on \(value.typeName)")
        }
        switch filter {
        case .format: return .string(try format(value, arguments))
        case .indent:
            return .string(
                try indent(try string(value, filter), try read("width", "first", "blank")))
        case .truncate:
            let reader = try read("length", "killwords", "end", "leeway")
            return .string(try truncate(try string(value, filter), reader))
        case .regexReplace:
            let reader = try read("pattern", "repl", "count", required: 2)
            return .string(try replaceMatches(in: try string(value, filter), reader))
        default: break
        }
        let text = try text(of: value)
        switch filter {
        case .center:
            let width = try read("width").integer(0, default: 80)
            return .string(try pad(text, width, " ", "center"))
        case .trim:
            return .string(text.trimmed(both: true, of: try read("chars").optionalString(0)))
        case .replace:
            let reader = try read("old", "new", "count", required: 2)
            return .string(
                try replace(
                    text, try self.text(of: reader[0] ?? .none),
                    try self.text(of: reader[1] ?? .none),
                    try reader.optionalInteger(2) ?? -1))
        default:
            _ = try read()
            return try applySimpleText(filter, to: text)
        }
    }

    private func applySimpleText(_ filter: Filter, to text: String) throws -> Value {
        switch filter {
        case .capitalize: .string(text.pythonCapitalized)
        case .lower: .string(text.pythonLowercase)
        case .upper: .string(text.pythonUppercase)
        case .title: .string(titled(text))
        case .wordcount: .int(wordCount(text))
        case .safe: .object(.markup(text))
        case .escape: .object(.markup(escaped(text)))
        default: .string(text)
        }
    }

    private func string(_ value: Value, _ filter: Filter) throws -> String {
        if case .undefined(let undefined) = value { throw Reason.undefined(undefined.hint) }
        guard case .string(let text) = value else {
            throw Reason.wrongType(
                operation: "the filter '\(filter.rawValue)'", found: value.typeName)
        }
        return text
    }

    private func format(_ value: Value, _ arguments: Arguments) throws -> String {
        guard arguments.positional.isEmpty || arguments.named.isEmpty else {
            throw Reason.wrongArguments(callee: "format", problem: "arguments by place and by name")
        }
        let operand: Value
        if arguments.named.isEmpty {
            operand = .tuple(arguments.positional)
        } else {
            operand = .dictionary(ValueDictionary(arguments.named.map { ($0.name, $0.value) }))
        }
        return try PercentFormat(try text(of: value)).apply(to: operand, in: self)
    }

    private func indent(_ text: String, _ reader: ArgumentReader) throws -> String {
        let indentation: String
        if case .string(let given)? = reader[0] {
            indentation = given
        } else {
            let width = max(0, try reader.integer(0, default: 4))
            try checkLength(width)
            indentation = String(repeating: " ", count: width)
        }
        let indentsFirst = try isTrue(reader[1] ?? .bool(false))
        let indentsBlank = try isTrue(reader[2] ?? .bool(false))
        let lines = (text + "\n").pythonLines()
        try checkLength(indentation.utf8.count, times: lines.count)
        var result = indentsFirst ? [indentation + lines[0]] : [lines[0]]
        for line in lines.dropFirst() {
            result.append(indentsBlank || !line.isEmpty ? indentation + line : line)
        }
        return try join(result, by: "\n")
    }

    private func truncate(_ text: String, _ reader: ArgumentReader) throws -> String {
        let length = try reader.integer(0, default: 255)
        let end = reader[2] == nil ? "..." : try reader.string(2)
        let leeway = try reader.optionalInteger(3) ?? 5
        let count = end.unicodeScalars.count
        guard length >= count, leeway >= 0 else {
            throw Reason.invalid(operation: "truncate", problem: "the length is below the end's")
        }
        let scalars = text.unicodeScalars
        let (limit, overflow) = length.addingReportingOverflow(leeway)
        if overflow || scalars.count <= limit { return text }
        let kept = String(scalars.prefix(length - count))
        if try isTrue(reader[1] ?? .bool(false)) { return kept + end }
        return kept.splitFromRight(by: " ", limit: 1)[0] + end
    }

    /// Jinja's own title case: words begin after blanks, hyphens and opening brackets.
    private func titled(_ text: String) -> String {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        var isInSeparator = false
        for scalar in text.unicodeScalars {
            let isSeparator = scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar)
            if isSeparator != isInSeparator {
                words.append(String(word))
                word = String.UnicodeScalarView()
                isInSeparator = isSeparator
            }
            word.append(scalar)
        }
        words.append(String(word))
        return words.map { word in
            let first = String(word.unicodeScalars.prefix(1)).pythonUppercase
            return first + String(word.unicodeScalars.dropFirst()).pythonLowercase
        }.joined()
    }

    private func wordCount(_ text: String) -> Int {
        var isInWord = false
        return text.unicodeScalars.count { scalar in
            defer { isInWord = scalar.isPythonWord }
            return scalar.isPythonWord && !isInWord
        }
    }

    private func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            case "\"": result.append(contentsOf: "&#34;".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

extension Interpreter {
    /// The harness's filter `regex_replace`: Python's `re.sub`.
    private func replaceMatches(in text: String, _ reader: ArgumentReader) throws -> String {
        do {
            return try RegularExpression(reader.string(0)).replacing(
                in: text, with: reader.string(1), count: reader.integer(2, default: 0),
                check: { try checkLength($0) }, charge: charge)
        } catch let error as RegularExpressionError {
            switch error {
            case .invalid(let pattern, let problem):
                throw Reason.invalid(operation: "regular expression '\(pattern)'", problem: problem)
            case .unsupported(let construct): throw Reason.unsupported(construct)
            case .tooMuch(let what, let limit): throw Reason.limitExceeded(what, limit: limit)
            case .failed(let problem):
                throw Reason.invalid(operation: "a regular expression", problem: problem)
            }
        }
    }
}

extension Interpreter {
    /// Applies a filter that gives a number.
    func applyNumeric(_ filter: Filter, to value: Value, _ arguments: Arguments) throws -> Value {
        switch filter {
        case .int: return try toInteger(value, arguments)
        case .float: return try toFloat(value, arguments)
        case .round: return try round(value, arguments)
        default:
            _ = try ArgumentReader(arguments, of: filter.rawValue, [])
            if case .float(let number) = value { return .float(number.magnitude) }
            guard let number = value.integer else { throw mismatch("abs", value) }
            return number < 0 ? try negated(.int(number)) : .int(number)
        }
    }

    private func mismatch(_ operation: String, _ value: Value) -> Reason {
        if case .undefined(let undefined) = value { return .undefined(undefined.hint) }
        return .wrongType(operation: operation, found: value.typeName)
    }

    private func toInteger(_ value: Value, _ arguments: Arguments) throws -> Value {
        let reader = try ArgumentReader(arguments, of: "int", ["default", "base"])
        let fallback = reader[0] ?? .int(0)
        let base = try reader.integer(1, default: 10)
        func whole(_ number: Double) throws -> Value {
            guard number.isFinite else { return fallback }
            guard let integer = Int(exactly: number.rounded(.towardZero)) else {
                throw Reason.unsupported("an integer outside of 64 bits, the result of 'int',")
            }
            return .int(integer)
        }
        switch value {
        case .undefined(let undefined): throw Reason.undefined(undefined.hint)
        case .int, .bool: return .int(value.integer ?? 0)
        case .float(let number):
            // Python catches NaN here, while an infinity is retried and then falls back too.
            return try whole(number)
        case .string(let text):
            if let integer = PythonNumberText.integer(text, base: base) { return .int(integer) }
            let digits = text.trimmed(both: true).unicodeScalars
            if digits.count > 18, digits.allSatisfy({ $0.isDigit || $0 == "-" || $0 == "_" }) {
                throw Reason.unsupported("an integer outside of 64 bits, the result of 'int',")
            }
            guard let number = PythonNumberText.float(text) else { return fallback }
            return try whole(number)
        default: return fallback
        }
    }

    private func toFloat(_ value: Value, _ arguments: Arguments) throws -> Value {
        let reader = try ArgumentReader(arguments, of: "float", ["default"])
        let fallback = reader[0] ?? .float(0)
        switch value {
        case .undefined(let undefined): throw Reason.undefined(undefined.hint)
        case .float: return value
        case .string(let text): return PythonNumberText.float(text).map { .float($0) } ?? fallback
        default: return value.integer.map { .float(Double($0)) } ?? fallback
        }
    }

    private func round(_ value: Value, _ arguments: Arguments) throws -> Value {
        let reader = try ArgumentReader(arguments, of: "round", ["precision", "method"])
        let precision = try reader.integer(0, default: 0)
        let method = reader[1] == nil ? "common" : try reader.string(1)
        if precision < 0 { throw Reason.unsupported("'round' to places before the point") }
        if method == "common" {
            if let number = value.integer { return .int(number) }
            guard case .float(let number) = value else { throw mismatch("round", value) }
            guard precision <= 323, number.isFinite else { return value }
            return .float(Double(PythonFloat.fixed(number, places: precision)) ?? number)
        }
        guard method == "ceil" || method == "floor" else {
            throw Reason.invalid(operation: "round", problem: "there is no method '\(method)'")
        }
        guard precision <= 15 else { throw Reason.unsupported("'round' to more than 15 places") }
        let power = try compute(.power, .int(10), .int(precision))
        let scaled = try compute(.multiply, value, power)
        if let number = scaled.integer { return try compute(.divide, .int(number), power) }
        guard case .float(let number) = scaled, number.magnitude < 0x1p53 else {
            throw mismatch("round", value)
        }
        // The quotient is that of an integer, so there is no negative zero.
        let whole = number.rounded(method == "ceil" ? .up : .down)
        return try compute(.divide, .int(Int(whole)), power)
    }
}

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
