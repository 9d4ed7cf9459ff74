import Python

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
