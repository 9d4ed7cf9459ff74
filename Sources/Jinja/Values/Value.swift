import Python

/// A value of a template: Python's built-in types, as far as templates use them.
///
/// Values never change; only a template's own `namespace` objects do. Strings are sequences of
/// Unicode scalars, as in Python, never of grapheme clusters.
public enum Value: Sendable {
    /// A name or attribute that does not exist.
    case undefined(Undefined)
    /// `None`.
    case none
    /// `True` or `False`.
    case bool(Bool)
    /// An integer of 64 bits; a result outside is an error.
    case int(Int)
    /// A floating-point number.
    case float(Double)
    /// A string.
    case string(String)
    /// A list.
    case list([Value])
    /// A tuple.
    case tuple([Value])
    /// A dictionary in the order of insertion.
    case dictionary(ValueDictionary)
    /// A function given by the host.
    case function(Function)
    /// An object that only templates make, such as a macro or a range.
    case object(TemplateObject)
}

/// Why a value is undefined.
public struct Undefined: Sendable {
    /// A clause that says what does not exist.
    public let hint: String
    /// Whether it may be used even where the environment is strict: what an inline `if` without an
    /// `else` gives.
    let isLenient: Bool
}

extension Value: Equatable {
    /// Whether both have the same type and content.
    ///
    /// 1 and 1.0 differ here, as do an accented letter and its decomposition. Inside templates `==` is
    /// Python's.
    public static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int(let a), .int(let b)): a == b
        case (.float(let a), .float(let b)): a == b
        case (.string(let a), .string(let b)): a.hasSameScalars(as: b)
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)): a == b
        case (.dictionary(let a), .dictionary(let b)): a == b
        case (.object(let a), .object(let b)): a.kind == b.kind
        default: false
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// Creates a string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// Creates an integer.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// Creates a floating-point number.
    public init(floatLiteral value: Double) { self = .float(value) }
    /// Creates a Boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Creates a list.
    public init(arrayLiteral elements: Value...) { self = .list(elements) }
    /// Creates a dictionary with strings as keys.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self = .dictionary(ValueDictionary(elements))
    }
}

extension Value {
    /// The name of the type, as messages spell it.
    public var typeName: String {
        switch self {
        case .undefined: "an undefined value"
        case .none: "None"
        case .bool: "a Boolean"
        case .int: "an integer"
        case .float: "a float"
        case .string: "a string"
        case .list: "a list"
        case .tuple: "a tuple"
        case .dictionary: "a dictionary"
        case .function(let function): "the function '\(function.name)'"
        case .object(let object): object.kind.typeName
        }
    }

    /// The integer, Booleans counting as 0 and 1 as in Python; nil for any other type.
    var integer: Int? {
        switch self {
        case .int(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    /// An undefined value, with a clause that says what does not exist.
    static func missing(_ hint: String) -> Value {
        .undefined(Undefined(hint: hint, isLenient: false))
    }

    var isUndefined: Bool {
        if case .undefined = self { true } else { false }
    }

    var isNone: Bool {
        if case .none = self { true } else { false }
    }
}

extension String {
    /// Whether both hold the same Unicode scalars; `==` would take canonical equivalents as equal.
    func hasSameScalars(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Whether this comes first by code points, the order of Python (and of UTF-8).
    func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
