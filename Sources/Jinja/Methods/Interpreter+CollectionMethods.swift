extension Interpreter {
    /// Calls a method of Python's `dict`.
    func callDictionaryMethod(
        _ name: String, _ dictionary: ValueDictionary, _ arguments: Arguments
    ) throws -> Value {
        guard name == "get" else {
            _ = try ArgumentReader(arguments, of: name, [])
            switch name {
            case "keys": return .object(.view(.keys, dictionary.keys))
            case "values": return .object(.view(.values, dictionary.values))
            case "items": return .object(.view(.items, dictionary.pairs))
            default: return .dictionary(dictionary)
            }
        }
        let reader = try ArgumentReader(
            arguments, of: name, ["key", "default"], required: 1, byPlaceOnly: true)
        let key = reader[0] ?? .none
        try requireHashable(key)
        return dictionary.value(try DictionaryKey(key)) ?? reader[1] ?? .none
    }

    /// Calls a method that lists and tuples have in common.
    func callSequenceMethod(
        _ name: String, _ items: [Value], _ arguments: Arguments
    ) throws -> Value {
        try charge(items.count)
        let parameters = name == "index" ? ["value", "start", "stop"] : ["value"]
        let reader = try ArgumentReader(
            arguments, of: name, parameters, required: 1, byPlaceOnly: true)
        let value = reader[0] ?? .none
        guard name == "index" else {
            return .int(try items.count { try equal($0, value) })
        }
        func clamp(_ bound: Int) -> Int {
            bound < 0 ? max(0, max(bound, -items.count) + items.count) : min(bound, items.count)
        }
        let start = clamp(try reader.integer(1, default: 0))
        let stop = max(start, clamp(try reader.integer(2, default: items.count)))
        guard let place = try items[start..<stop].firstIndex(where: { try equal($0, value) }) else {
            throw Reason.invalid(operation: "index", problem: "the value is not in the list")
        }
        return .int(place)
    }
}

extension ValueDictionary {
    /// The entries as tuples.
    var pairs: [Value] { zip(keys, values).map { .tuple([$0, $1]) } }
}
