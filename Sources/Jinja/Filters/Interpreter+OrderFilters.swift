import Python

extension Interpreter {
    /// Applies a filter that compares or adds the items of a sequence.
    func applyOrder(_ filter: Filter, to value: Value, _ arguments: Arguments) throws -> Value {
        let name = filter.rawValue
        switch filter {
        case .dictsort: return try sortEntries(of: value, arguments)
        case .sort:
            let reader = try ArgumentReader(
                arguments, of: name, ["reverse", "case_sensitive", "attribute"])
            let paths = self.paths(reader[2])
            let isCaseSensitive = try isTrue(reader[1] ?? .bool(false))
            return .list(
                try sorted(
                    try items(of: value, for: name),
                    descending: try isTrue(reader[0] ?? .bool(false))
                ) { item in
                    .list(
                        try paths.map {
                            folded(try lookUp($0, in: item), isCaseSensitive)
                        })
                })
        case .sum:
            let reader = try ArgumentReader(arguments, of: name, ["attribute", "start"])
            let path = self.path(reader[0])
            let start = reader[1] ?? .int(0)
            if case .string = start { throw Reason.wrongType(operation: name, found: "strings") }
            return try items(of: value, for: name).reduce(start) { sum, item in
                try admit(try compute(.add, sum, try lookUp(path, in: item)))
            }
        default:
            let reader = try ArgumentReader(arguments, of: name, ["case_sensitive", "attribute"])
            let isCaseSensitive = try isTrue(reader[0] ?? .bool(false))
            let path = self.path(reader[1])
            let items = try items(of: value, for: name)
            let keys = try items.map { folded(try lookUp(path, in: $0), isCaseSensitive) }
            return try filter == .unique
                ? generator(unique(items, keys)) : extreme(items, keys, isGreatest: filter == .max)
        }
    }

    /// A key in lower case unless case counts.
    private func folded(_ key: Value, _ isCaseSensitive: Bool) -> Value {
        guard !isCaseSensitive, case .string(let text) = key else { return key }
        return .string(text.pythonLowercase)
    }

    /// The paths of an attribute such as `age,name`.
    private func paths(_ attribute: Value?) -> [[Value]] {
        guard case .string(let text)? = attribute else { return [path(attribute)] }
        return text.split(by: ",", limit: -1).map { path(.string($0)) }
    }

    private func unique(_ items: [Value], _ keys: [Value]) throws -> [Value] {
        var seen: Set<DictionaryKey> = []
        var result: [Value] = []
        for (item, key) in zip(items, keys) {
            try requireHashable(key)
            if seen.insert(try DictionaryKey(key)).inserted { result.append(item) }
        }
        return result
    }

    private func extreme(_ items: [Value], _ keys: [Value], isGreatest: Bool) throws -> Value {
        guard var best = keys.indices.first else {
            return .missing("there is no item to choose, the sequence is empty")
        }
        for index in keys.indices.dropFirst() {
            let isBetter =
                try isGreatest ? less(keys[best], keys[index]) : less(keys[index], keys[best])
            if isBetter { best = index }
        }
        return items[best]
    }

    private func sortEntries(of value: Value, _ arguments: Arguments) throws -> Value {
        let reader = try ArgumentReader(
            arguments, of: "dictsort", ["case_sensitive", "by", "reverse"])
        let by = reader[1] == nil ? "key" : try reader.string(1)
        guard by == "key" || by == "value" else {
            throw Reason.invalid(operation: "dictsort", problem: "there is no order by '\(by)'")
        }
        if case .undefined(let undefined) = value { throw Reason.undefined(undefined.hint) }
        guard case .dictionary(let dictionary) = value else {
            throw Reason.wrongType(operation: "dictsort", found: value.typeName)
        }
        let isCaseSensitive = try isTrue(reader[0] ?? .bool(false))
        let descending = try isTrue(reader[2] ?? .bool(false))
        return .list(
            try sorted(dictionary.pairs, descending: descending) { pair in
                folded(try item(.int(by == "key" ? 0 : 1), of: pair), isCaseSensitive)
            })
    }
}
