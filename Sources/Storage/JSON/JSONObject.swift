/// The members of a JSON object, in the order of the text.
///
/// Keys are told apart by their bytes, not by canonical equivalence. Two objects are equal if they
/// hold the same members in the same order.
public struct JSONObject: Sendable {
    /// A key and its value.
    public struct Member: Sendable {
        /// The key.
        public let key: String
        /// The value.
        public var value: JSONValue
    }

    /// The members in order.
    public private(set) var members: [Member] = []
    /// Where each key is; kept only for objects too large to search through.
    private var places: [ExactString: Int] = [:]
    private static let searchLimit = 8

    /// Creates an object without members.
    public init() {}

    /// Creates an object; of two members with the same key, the later value stays, in the earlier
    /// place.
    ///
    /// - Parameter members: Keys and values in order.
    public init(_ members: some Sequence<(String, JSONValue)>) {
        for (key, value) in members { self[key] = value }
    }

    /// The number of members.
    public var count: Int { members.count }
    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }
    /// The keys in order.
    public var keys: [String] { members.map(\.key) }

    /// The value of a key, nil if there is none; assigning nil removes the member.
    ///
    /// - Complexity: O(1) on average to read and to set, O(`count`) to remove.
    public subscript(key: String) -> JSONValue? {
        get { place(of: key).map { members[$0].value } }
        set {
            if let newValue {
                set(key, to: newValue)
            } else if let place = place(of: key) {
                let kept = members[..<place] + members[(place + 1)...]
                self = JSONObject(kept.map { ($0.key, $0.value) })
            }
        }
    }

    /// Sets a value and returns whether the key was new.
    @discardableResult
    mutating func set(_ key: String, to value: JSONValue) -> Bool {
        if let place = place(of: key) {
            members[place].value = value
            return false
        }
        members.append(Member(key: key, value: value))
        if members.count == JSONObject.searchLimit + 1 {
            for (place, member) in members.enumerated() { places[ExactString(member.key)] = place }
        } else if members.count > JSONObject.searchLimit {
            places[ExactString(key)] = members.count - 1
        }
        return true
    }

    private func place(of key: String) -> Int? {
        if members.count > JSONObject.searchLimit { return places[ExactString(key)] }
        return members.firstIndex { $0.key.isExactly(key) }
    }
}

extension JSONObject: Equatable {
    /// Whether both hold the same members in the same order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.elementsEqual(right.members) {
            $0.key.isExactly($1.key) && $0.value == $1.value
        }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Creates an object from keys and values in order.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
