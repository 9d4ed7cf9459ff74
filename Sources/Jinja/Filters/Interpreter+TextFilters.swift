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
