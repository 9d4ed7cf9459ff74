import Python

extension Interpreter {
    /// Applies a filter that takes a sequence apart or puts it together.
    func applySequence(_ filter: Filter, to value: Value, _ arguments: Arguments) throws -> Value {
        let name = filter.rawValue
        func read(_ parameters: String..., required: Int = 0) throws -> ArgumentReader {
            try ArgumentReader(arguments, of: name, parameters, required: required)
        }
        switch filter {
        case .length:
            _ = try read()
            return .int(try length(of: value))
        case .list:
            _ = try read()
            return .list(try items(of: value, for: name))
        case .first:
            _ = try read()
            return try items(of: value, for: name).first
                ?? .missing("there is no first item, the sequence is empty")
        case .last:
            _ = try read()
            return try reversible(value, name).last
                ?? .missing("there is no last item, the sequence is empty")
        case .items:
            _ = try read()
            if value.isUndefined { return generator([]) }
            guard case .dictionary(let dictionary) = value else {
                throw Reason.wrongType(operation: "items", found: value.typeName)
            }
            return generator(dictionary.pairs)
        case .reverse:
            _ = try read()
            return try reverse(value)
        case .join:
            let reader = try read("d", "attribute")
            let separator = try reader[0].map { try text(of: $0) } ?? ""
            let path = path(reader[1])
            let pieces = try items(of: value, for: name).map {
                try text(of: try lookUp(path, in: $0))
            }
            return .string(try join(pieces, by: separator))
        case .batch:
            let reader = try read("linecount", "fill_with", required: 1)
            return generator(try batch(try items(of: value, for: name), reader))
        default:
            let reader = try read("slices", "fill_with", required: 1)
            return generator(try slices(try items(of: value, for: name), reader))
        }
    }

    /// The items of what Python can go through from its end.
    private func reversible(_ value: Value, _ operation: String) throws -> [Value] {
        if case .object(let object) = value, case .generator = object.kind {
            throw Reason.wrongType(operation: operation, found: value.typeName)
        }
        return try items(of: value, for: operation)
    }

    private func reverse(_ value: Value) throws -> Value {
        if case .string(let text) = value {
            return .string(String(scalars: text.unicodeScalars.reversed()))
        }
        let items = try items(of: value, for: "reverse").reversed()
        // A generator has no reverse iterator; Jinja turns a list of its items.
        if case .object(let object) = value, case .generator = object.kind {
            return .list(Array(items))
        }
        if value.isUndefined { return .list([]) }
        return generator(Array(items))
    }

    private func batch(_ items: [Value], _ reader: ArgumentReader) throws -> [Value] {
        let size = try reader.integer(0)
        if size <= 0 {
            guard size < 0 || items.isEmpty else {
                throw Reason.unsupported("'batch' by 0")
            }
            return items.isEmpty ? [] : [.list(items)]
        }
        var rows: [[Value]] = []
        for (index, item) in items.enumerated() {
            if index % size == 0 { rows.append([]) }
            rows[rows.count - 1].append(item)
        }
        if let fill = reader.optional(1), let last = rows.last, last.count < size {
            try charge(size)
            rows[rows.count - 1] += Array(repeating: fill, count: size - last.count)
        }
        return rows.map { .list($0) }
    }

    private func slices(_ items: [Value], _ reader: ArgumentReader) throws -> [Value] {
        let count = try reader.integer(0)
        guard count > 0 else {
            throw Reason.invalid(operation: "slice", problem: "expected at least 1 slice")
        }
        try charge(count)
        let longer = items.count % count
        var rest = items[...]
        return (0..<count).map { index in
            var row = Array(rest.prefix(items.count / count + (index < longer ? 1 : 0)))
            rest = rest.dropFirst(row.count)
            if let fill = reader.optional(1), index >= longer { row.append(fill) }
            return .list(row)
        }
    }

    /// Applies `map`, or a filter that picks items.
    func applySelection(
        _ filter: Filter, to value: Value, _ arguments: Arguments
    ) throws -> Value {
        // These are lazy in Jinja; nothing of theirs runs for what is not iterated.
        let items = try items(of: value, for: filter.rawValue)
        if filter == .map { return generator(try map(items, arguments)) }
        var positional = arguments.positional[...]
        var path: [Value] = []
        if filter == .selectattr || filter == .rejectattr {
            guard let attribute = positional.popFirst() else {
                throw Reason.wrongArguments(
                    callee: filter.rawValue, problem: "the attribute's name is missing")
            }
            path = self.path(attribute)
        }
        var test: Test?
        if let name = positional.popFirst() {
            test = Test(name: try text(of: name))
            if test == nil {
                throw Reason.unsupported("the test '\(try text(of: name))'")
            }
        }
        let rest = Arguments(
            positional: Array(positional), named: test == nil ? [] : arguments.named)
        let keeps = filter == .select || filter == .selectattr
        return generator(
            try items.filter { item in
                try charge(1)
                let value = try lookUp(path, in: item)
                let holds = try test.map { try apply($0, to: value, rest) } ?? isTrue(value)
                return holds == keeps
            })
    }

    private func map(_ items: [Value], _ arguments: Arguments) throws -> [Value] {
        guard let name = arguments.positional.first else {
            guard arguments.named.contains(where: { $0.name == "attribute" }) else {
                throw Reason.wrongArguments(callee: "map", problem: "no filter and no attribute")
            }
            let reader = try ArgumentReader(arguments, of: "map", ["attribute", "default"])
            let path = path(reader[0])
            return try items.map { try lookUp(path, in: $0, default: reader.optional(1)) }
        }
        guard case .string(let name) = name, let filter = Filter(name: name, options: options)
        else {
            throw Reason.unsupported("the filter '\(try text(of: name))'")
        }
        let rest = Arguments(
            positional: Array(arguments.positional.dropFirst()), named: arguments.named)
        return try items.map { item in
            try charge(1)
            return try nested { try apply(filter, to: item, rest) }
        }
    }
}

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
        try charge(4 * items.count)
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
