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

/// A dictionary that keeps the order of insertion, with Python's notion of equal keys.
public struct ValueDictionary: Sendable {
    /// The keys in order.
    public private(set) var keys: [Value] = []
    /// The values in the order of their keys.
    public private(set) var values: [Value] = []
    private var positions: [DictionaryKey: Int] = [:]

    /// Creates an empty dictionary.
    public init() {}

    /// Creates a dictionary; of equal keys the last value stays, at the first one's place.
    ///
    /// - Parameter pairs: The entries in order.
    public init(_ pairs: some Sequence<(String, Value)>) {
        for (key, value) in pairs { self[key] = value }
    }

    /// Number of entries.
    public var count: Int { keys.count }

    /// Whether there are no entries.
    public var isEmpty: Bool { keys.isEmpty }

    /// The value of a string key; setting nil leaves the dictionary as it is.
    ///
    /// - Parameter key: The key.
    public subscript(key: String) -> Value? {
        get { positions[.text(key)].map { values[$0] } }
        set {
            if let newValue { set(.text(key), .string(key), newValue) }
        }
    }

    func value(_ key: DictionaryKey) -> Value? { positions[key].map { values[$0] } }

    /// Stores an entry; a key that Python cannot hash is an error.
    mutating func insert(_ key: Value, _ value: Value) throws {
        set(try DictionaryKey(key), key, value)
    }

    private mutating func set(_ position: DictionaryKey, _ key: Value, _ value: Value) {
        if let index = positions[position] {
            values[index] = value
        } else {
            positions[position] = keys.count
            keys.append(key)
            values.append(value)
        }
    }
}

extension ValueDictionary: Equatable {
    /// Whether both hold the same entries in the same order.
    public static func == (left: ValueDictionary, right: ValueDictionary) -> Bool {
        left.keys == right.keys && left.values == right.values
    }
}

extension ValueDictionary: ExpressibleByDictionaryLiteral {
    /// Creates a dictionary from its entries.
    public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}

/// A value as a key: equal keys are those that Python takes for equal, such as 1, 1.0 and `True`.
enum DictionaryKey: Hashable {
    case none
    case undefined
    case integer(Int)
    case float(Double)
    case text(String)
    case tuple([DictionaryKey])

    init(_ value: Value) throws {
        switch value {
        case .none: self = .none
        case .undefined: self = .undefined
        case .bool(let value): self = .integer(value ? 1 : 0)
        case .int(let value): self = .integer(value)
        case .float(let value): self = Int(exactly: value).map { .integer($0) } ?? .float(value)
        case .string(let value): self = .text(value)
        case .tuple(let items): self = .tuple(try items.map { try DictionaryKey($0) })
        case .list, .dictionary, .function, .object:
            throw Reason.wrongType(operation: "use as a dictionary key", found: value.typeName)
        }
    }

    static func == (left: DictionaryKey, right: DictionaryKey) -> Bool {
        switch (left, right) {
        case (.none, .none), (.undefined, .undefined): true
        case (.integer(let a), .integer(let b)): a == b
        case (.float(let a), .float(let b)): a == b
        case (.text(let a), .text(let b)): a.hasSameScalars(as: b)
        case (.tuple(let a), .tuple(let b)): a == b
        default: false
        }
    }

    func hash(into hasher: inout Hasher) {
        switch self {
        case .none: hasher.combine(0)
        case .undefined: hasher.combine(1)
        case .integer(let value): hasher.combine(value)
        case .float(let value): hasher.combine(value)
        // Canonical equivalents share a hash, which only costs a comparison.
        case .text(let value): hasher.combine(value)
        case .tuple(let items): hasher.combine(items)
        }
    }
}

/// An object that only a running template makes; it means nothing outside of that run.
public struct TemplateObject: Sendable {
    let kind: Kind

    /// What an object is.
    ///
    /// Numbers are places in the tables of the running interpreter, which hold
    /// what can change, so that values themselves never do.
    indirect enum Kind: Sendable, Equatable {
        case namespace(Int)
        case macro(Int)
        case loop(Int)
        case generator(Int)
        case range(PythonRange)
        case view(ViewKind, [Value])
        case method(receiver: Value, name: String)
        case builtin(Builtin)
        /// Text that a filter marked as safe; only to be printed, for joining it would escape.
        case markup(String)
    }

    /// Which view of a dictionary.
    enum ViewKind: String, Sendable {
        case keys = "dict_keys"
        case values = "dict_values"
        case items = "dict_items"
    }
}

extension TemplateObject.Kind {
    var typeName: String {
        switch self {
        case .namespace: "a namespace"
        case .macro: "a macro"
        case .loop: "the loop object"
        case .generator: "a generator"
        case .range: "a range"
        case .view: "a view of a dictionary"
        case .method(_, let name): "the method '\(name)'"
        case .builtin(let builtin): "the function '\(builtin.rawValue)'"
        case .markup: "text marked as safe"
        }
    }
}

/// The functions that every template can call.
enum Builtin: String, Sendable, CaseIterable {
    case range
    case dict
    case namespace
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
}

/// Python's `range`.
struct PythonRange: Sendable, Equatable {
    let start: Int
    let stop: Int
    let step: Int

    /// Number of items.
    let count: Int

    init(start: Int, stop: Int, step: Int) throws {
        guard step != 0 else { throw Reason.invalid(operation: "range", problem: "step is 0") }
        self.start = start
        self.stop = stop
        self.step = step
        guard step > 0 ? start < stop : start > stop else {
            count = 0
            return
        }
        let (distance, overflow) =
            step > 0
            ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
        guard !overflow, step != .min else {
            throw Reason.invalid(operation: "range", problem: "outside of 64 bits")
        }
        count = (distance - 1) / abs(step) + 1
    }

    subscript(index: Int) -> Int { start + index * step }
}

/// A function that the host hands to a template.
public struct Function: Sendable {
    /// The name, used in messages.
    public let name: String
    let body: @Sendable (Arguments) throws -> Value

    /// Creates a function.
    ///
    /// - Parameters:
    ///   - name: The name, used in messages.
    ///   - body: What a call does; throw ``TemplateError/Reason`` to stop the template.
    public init(name: String, body: @escaping @Sendable (Arguments) throws -> Value) {
        self.name = name
        self.body = body
    }
}

/// The arguments of a call.
public struct Arguments: Sendable {
    /// The arguments given by place.
    public var positional: [Value]
    /// The arguments given by name, in order.
    public var named: [(name: String, value: Value)]

    static let none = Arguments(positional: [], named: [])

    /// Lays the arguments out by parameter, checking them as Python would.
    ///
    /// - Parameters:
    ///   - callee: The function's name, used in messages.
    ///   - parameters: The parameters' names in order.
    ///   - required: How many of the first parameters have no default.
    /// - Returns: One value per parameter; nil where the default applies.
    /// - Throws: ``TemplateError/Reason/wrongArguments(callee:problem:)``.
    public func bind(
        _ callee: String, _ parameters: [String], required: Int = 0
    ) throws -> [Value?] {
        func fail(_ problem: String) -> Reason { .wrongArguments(callee: callee, problem: problem) }
        guard positional.count <= parameters.count else {
            throw fail("\(positional.count) arguments by place, at most \(parameters.count)")
        }
        var bound: [Value?] = positional
        bound += Array(repeating: nil, count: parameters.count - positional.count)
        for (name, value) in named {
            guard let place = parameters.firstIndex(where: { $0.hasSameScalars(as: name) }) else {
                throw fail("there is no parameter '\(name)'")
            }
            guard bound[place] == nil else { throw fail("'\(name)' is given twice") }
            bound[place] = value
        }
        if let place = bound.prefix(required).firstIndex(where: { $0 == nil }) {
            throw fail("'\(parameters[place])' is missing")
        }
        return bound
    }
}
