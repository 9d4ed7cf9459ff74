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
