import Python

/// The filters that can stand behind `|`.
enum Filter: String, Sendable, CaseIterable {
    case abs, batch, capitalize, center, `default`, dictsort, escape, first, float, format
    case indent, int, items, join, last, length, list, lower, map, max, min, reject, rejectattr
    case replace, reverse, round, safe, select, selectattr, slice, sort, string, sum, title
    case tojson, trim, truncate, unique, upper, wordcount
    case regexReplace = "regex_replace"

    /// The filter of a name or of one of its synonyms; nil if there is none in the environment.
    init?(name: String, options: TemplateOptions) {
        switch name {
        case "d": self = .default
        case "e": self = .escape
        case "count": self = .length
        case "regex_replace" where !options.hasRegexReplace: return nil
        default: self.init(rawValue: name)
        }
    }
}

extension Interpreter {
    /// Applies a filter to a value.
    func apply(_ filter: Filter, to value: Value, _ arguments: Arguments) throws -> Value {
        let result: Value =
            switch filter {
            case .capitalize, .center, .escape, .format, .indent, .lower, .replace, .safe, .string,
                .title, .trim, .truncate, .upper, .wordcount, .regexReplace:
                try applyText(filter, to: value, arguments)
            case .abs, .float, .int, .round: try applyNumeric(filter, to: value, arguments)
            case .default: try applyDefault(to: value, arguments)
            case .tojson: try applyJSON(to: value, arguments)
            case .map, .select, .selectattr, .reject, .rejectattr:
                try applySelection(filter, to: value, arguments)
            case .dictsort, .max, .min, .sort, .sum, .unique:
                try applyOrder(filter, to: value, arguments)
            case .batch, .first, .items, .join, .last, .length, .list, .reverse, .slice:
                try applySequence(filter, to: value, arguments)
            }
        return try admit(result)
    }

    private func applyDefault(to value: Value, _ arguments: Arguments) throws -> Value {
        let reader = try ArgumentReader(arguments, of: "default", ["default_value", "boolean"])
        let fallback = reader[0] ?? .string("")
        if value.isUndefined { return fallback }
        guard let boolean = reader[1], try isTrue(boolean) else { return value }
        return try isTrue(value) ? value : fallback
    }

    /// Looks up a path such as `author.name` or `0`, part by part.
    func lookUp(_ path: [Value], in value: Value, default fallback: Value? = nil) throws -> Value {
        var value = value
        for part in path {
            value = try item(part, of: value)
            if let fallback, value.isUndefined { value = fallback }
        }
        return value
    }

    /// The parts of a path given as an argument; none for `None`.
    func path(_ attribute: Value?) -> [Value] {
        guard let attribute, !attribute.isNone else { return [] }
        guard case .string(let text) = attribute else { return [attribute] }
        return text.split(by: ".", limit: -1).map { part in
            let isNumber = !part.isEmpty && part.unicodeScalars.allSatisfy(\.isPythonDigit)
            return isNumber
                ? PythonNumberText.integer(part).map { .int($0) } ?? .string(part)
                : .string(part)
        }
    }
}
