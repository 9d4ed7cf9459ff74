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
    private var places = KeyPlaces()
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
        if members.count > JSONObject.searchLimit {
            let hash = KeyPlaces.hash(of: key)
            if let place = places.find(hash, where: { members[$0].key.isExactly(key) }) {
                members[place].value = value
                return false
            }
            places.insert(hash, place: members.count)
        } else if let place = place(of: key) {
            members[place].value = value
            return false
        }
        members.append(Member(key: key, value: value))
        if members.count == JSONObject.searchLimit + 1 {
            for (place, member) in members.enumerated() {
                places.insert(KeyPlaces.hash(of: member.key), place: place)
            }
        }
        return true
    }

    private func place(of key: String) -> Int? {
        if members.count > JSONObject.searchLimit {
            return places.find(KeyPlaces.hash(of: key)) { members[$0].key.isExactly(key) }
        }
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

/// The places of keys by their hashes: an open-addressed table of 8 bytes a slot, half empty at least.
private struct KeyPlaces: Sendable {
    /// A hash in the upper half, a place and 1 in the lower; 0 where nothing is.
    private var slots: [UInt64] = []
    private var count = 0

    /// The hash of a key, another one in every process, so that no file can be made of equal ones.
    static func hash(of key: String) -> UInt32 {
        var hasher = Hasher()
        ExactString(key).hash(into: &hasher)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// The place with this hash for which `isKey` holds.
    func find(_ hash: UInt32, where isKey: (Int) -> Bool) -> Int? {
        guard !slots.isEmpty else { return nil }
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let place = Int(slots[slot] & 0xFFFF_FFFF) - 1
            if UInt32(slots[slot] >> 32) == hash, isKey(place) { return place }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds a place that is not there yet.
    mutating func insert(_ hash: UInt32, place: Int) {
        if (count + 1) * 2 > slots.count {
            let old = slots
            slots = [UInt64](repeating: 0, count: max(32, old.count * 2))
            for entry in old where entry != 0 { put(entry) }
        }
        put(UInt64(hash) << 32 | UInt64(place + 1))
        count += 1
    }

    private mutating func put(_ entry: UInt64) {
        var slot = Int(entry >> 32) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = entry
    }
}

/// A string that equals another only if all bytes are equal.
///
/// Swift's own `==` takes canonically equal texts for one, such as "é" in its two spellings. To
/// JSON and to tensor names they are two.
struct ExactString: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: ExactString, right: ExactString) -> Bool {
        left.text.isExactly(right.text)
    }

    func hash(into hasher: inout Hasher) {
        let done: Void? = text.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if done == nil { for byte in text.utf8 { hasher.combine(byte) } }
    }
}

extension String {
    /// Whether two strings have the same bytes.
    func isExactly(_ other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
