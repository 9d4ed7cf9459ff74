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

/// The tests that can stand behind `is`.
enum Test: Sendable {
    case defined, undefined, none, string, number, mapping, iterable, sequence, boolean
    case isTrue, isFalse, integer, float, odd, even, lower, upper, callable
    case divisibleBy, contained
    case comparison(ComparisonOperator)

    /// The test of a name or of one of its synonyms; nil if there is none.
    init?(name: String) {
        switch name {
        case "defined": self = .defined
        case "undefined": self = .undefined
        case "none": self = .none
        case "string": self = .string
        case "number": self = .number
        case "mapping": self = .mapping
        case "iterable": self = .iterable
        case "sequence": self = .sequence
        case "boolean": self = .boolean
        case "true": self = .isTrue
        case "false": self = .isFalse
        case "integer": self = .integer
        case "float": self = .float
        case "odd": self = .odd
        case "even": self = .even
        case "lower": self = .lower
        case "upper": self = .upper
        case "callable": self = .callable
        case "divisibleby": self = .divisibleBy
        case "in": self = .contained
        case "==", "eq", "equalto": self = .comparison(.equal)
        case "!=", "ne": self = .comparison(.notEqual)
        case "<", "lt", "lessthan": self = .comparison(.less)
        case "<=", "le": self = .comparison(.lessOrEqual)
        case ">", "gt", "greaterthan": self = .comparison(.greater)
        case ">=", "ge": self = .comparison(.greaterOrEqual)
        default: return nil
        }
    }
}

extension Interpreter {
    /// Whether a test holds for a value.
    func apply(_ test: Test, to value: Value, _ arguments: Arguments) throws -> Bool {
        switch test {
        case .divisibleBy:
            let reader = try ArgumentReader(arguments, of: "divisibleby", ["num"], required: 1)
            return try equal(try compute(.modulo, value, reader[0] ?? .none), .int(0))
        case .contained:
            let reader = try ArgumentReader(arguments, of: "in", ["seq"], required: 1)
            return try contains(reader[0] ?? .none, value)
        case .comparison(let comparison):
            let reader = try ArgumentReader(
                arguments, of: "test '\(comparison.rawValue)'", ["other"], required: 1,
                byPlaceOnly: true)
            return try compare(value, comparison, reader[0] ?? .none)
        default:
            _ = try ArgumentReader(arguments, of: "a test", [])
            return try applyWithoutArguments(test, to: value)
        }
    }

    private func applyWithoutArguments(_ test: Test, to value: Value) throws -> Bool {
        switch test {
        case .defined: return !value.isUndefined
        case .undefined: return value.isUndefined
        case .none: return value.isNone
        case .boolean: return if case .bool = value { true } else { false }
        case .isTrue: return value == .bool(true)
        case .isFalse: return value == .bool(false)
        case .integer: return if case .int = value { true } else { false }
        case .float: return if case .float = value { true } else { false }
        case .number:
            if case .float = value { return true }
            return value.integer != nil
        case .mapping: return if case .dictionary = value { true } else { false }
        case .string:
            if case .object(let object) = value, case .markup = object.kind { return true }
            return if case .string = value { true } else { false }
        case .odd, .even:
            let remainder = try compute(.modulo, value, .int(2))
            return try equal(remainder, .int(test.isOdd ? 1 : 0))
        case .lower: return try text(of: value).hasOnlyCase { $0.isLowercase }
        case .upper: return try text(of: value).hasOnlyCase { $0.isUppercase }
        case .iterable: return try isIterable(value)
        case .sequence: return isSequence(value)
        case .callable: return isCallable(value)
        case .divisibleBy, .contained, .comparison: return false
        }
    }

    private func isIterable(_ value: Value) throws -> Bool {
        switch value {
        case .undefined:
            try requireDefined(value)
            return true
        case .string, .list, .tuple, .dictionary: return true
        case .object(let object):
            switch object.kind {
            case .range, .view, .generator, .loop, .markup: return true
            default: return false
            }
        default: return false
        }
    }

    private func isSequence(_ value: Value) -> Bool {
        switch value {
        case .undefined: return options.undefined == .lenient
        case .string, .list, .tuple, .dictionary: return true
        case .object(let object):
            switch object.kind {
            case .range, .markup: return true
            default: return false
            }
        default: return false
        }
    }

    private func isCallable(_ value: Value) -> Bool {
        switch value {
        // An undefined value has a `__call__`, which raises.
        case .undefined, .function: return true
        case .object(let object):
            switch object.kind {
            case .macro, .builtin, .method, .loop: return true
            default: return false
            }
        default: return false
        }
    }
}

extension Test {
    fileprivate var isOdd: Bool { if case .odd = self { true } else { false } }
}
