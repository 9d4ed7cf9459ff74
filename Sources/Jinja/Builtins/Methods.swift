import Python

/// Which methods of Python's types exist here, and which are refused by name.
///
/// A name in neither list is no method in Python either, and so an undefined attribute.
enum MethodNames {
    /// The methods that can be called.
    static func known(for value: Value) -> Set<String> {
        switch value {
        case .string: string
        case .list, .tuple: sequence
        case .dictionary: dictionary
        case .float: ["is_integer"]
        default: []
        }
    }

    /// The methods and fields of Python that are refused, most because they change the object.
    static func refused(for value: Value) -> Set<String> {
        switch value {
        case .string:
            [
                "casefold", "encode", "expandtabs", "format_map", "isidentifier", "istitle",
                "maketrans", "translate",
            ]
        case .list:
            ["append", "clear", "copy", "extend", "insert", "pop", "remove", "reverse", "sort"]
        case .dictionary: ["clear", "fromkeys", "pop", "popitem", "setdefault", "update"]
        case .int, .bool:
            [
                "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator",
                "from_bytes", "imag", "numerator", "real", "to_bytes",
            ]
        case .float: ["as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "real"]
        default: []
        }
    }

    private static let sequence: Set<String> = ["count", "index"]
    private static let dictionary: Set<String> = ["copy", "get", "items", "keys", "values"]
    private static let string: Set<String> = [
        "capitalize", "center", "count", "endswith", "find", "format", "index",
        "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "islower",
        "isnumeric", "isprintable", "isspace", "isupper", "join", "ljust", "lower",
        "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex",
        "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip",
        "swapcase", "title", "upper", "zfill",
    ]
}

/// Reads the arguments of one call as the types that the callee takes.
struct ArgumentReader {
    let callee: String
    private let values: [Value?]

    /// Binds arguments to parameters, which are named in order.
    ///
    /// - Parameters:
    ///   - arguments: The arguments.
    ///   - callee: The function's name, used in messages.
    ///   - parameters: The parameters' names.
    ///   - required: How many of the first parameters have no default.
    ///   - byPlaceOnly: Whether names are refused, as by many of Python's methods.
    /// - Throws: ``TemplateError/Reason/wrongArguments(callee:problem:)``.
    init(
        _ arguments: Arguments, of callee: String, _ parameters: [String], required: Int = 0,
        byPlaceOnly: Bool = false
    ) throws {
        if byPlaceOnly, let name = arguments.named.first?.name {
            throw Reason.wrongArguments(callee: callee, problem: "there is no parameter '\(name)'")
        }
        self.callee = callee
        values = try arguments.bind(callee, parameters, required: required)
    }

    /// The argument as it is; nil if it is not given.
    subscript(place: Int) -> Value? { values[place] }

    /// The argument; nil if it is `None` or not given.
    func optional(_ place: Int) -> Value? {
        guard let value = values[place], !value.isNone else { return nil }
        return value
    }

    func string(_ place: Int) throws -> String {
        guard case .string(let text)? = values[place] else { throw mismatch(values[place]) }
        return text
    }

    func optionalString(_ place: Int) throws -> String? {
        optional(place) == nil ? nil : try string(place)
    }

    func integer(_ place: Int, default fallback: Int? = nil) throws -> Int {
        guard let value = values[place] else {
            guard let fallback else { throw mismatch(nil) }
            return fallback
        }
        guard let number = value.integer else { throw mismatch(value) }
        return number
    }

    func optionalInteger(_ place: Int) throws -> Int? {
        optional(place) == nil ? nil : try integer(place)
    }

    func mismatch(_ value: Value?) -> Reason {
        if case .undefined(let undefined)? = value { return .undefined(undefined.hint) }
        return .wrongType(operation: callee, found: value?.typeName ?? "nothing")
    }
}

extension Interpreter {
    /// Calls a method of Python's `str`.
    func callStringMethod(
        _ name: String, _ text: String, _ arguments: Arguments
    ) throws -> Value {
        try charge(text.utf8.count)
        func read(
            _ parameters: String..., required: Int = 0, byName: Bool = false
        ) throws
            -> ArgumentReader
        {
            try ArgumentReader(
                arguments, of: name, parameters, required: required, byPlaceOnly: !byName)
        }
        switch name {
        case "strip", "lstrip", "rstrip":
            let characters = try read("chars").optionalString(0)
            return .string(
                text.trimmed(leading: name != "rstrip", trailing: name != "lstrip", of: characters))
        case "split", "rsplit":
            let reader = try read("sep", "maxsplit", byName: true)
            return .list(try split(text, reader, fromRight: name == "rsplit"))
        case "splitlines":
            let keeps = try read("keepends", byName: true)[0] ?? .bool(false)
            return .list(text.pythonLines(keepingEnds: try isTrue(keeps)).map { .string($0) })
        case "replace":
            let reader = try read("old", "new", "count", required: 2)
            return .string(
                try replace(
                    text, try reader.string(0), try reader.string(1),
                    try reader.integer(2, default: -1)))
        case "join":
            let items = try items(of: try read("iterable", required: 1)[0] ?? .none, for: name)
            return .string(
                try join(
                    items.map { item in
                        if case .string(let text) = item { return text }
                        throw Reason.wrongType(
                            operation: "join", found: "a list with \(item.typeName)")
                    }, by: text))
        case "format": return .string(try BraceFormat(text).apply(to: arguments, in: self))
        case "startswith", "endswith":
            return .bool(
                try hasAffix(text, try read("affix", "start", "end", required: 1), name))
        case "find", "rfind", "index", "rindex":
            return .int(try find(text, try read("sub", "start", "end", required: 1), name))
        case "count":
            let reader = try read("sub", "start", "end", required: 1)
            let part = try window(text, reader)
            return .int(part?.text.occurrences(of: try reader.string(0)) ?? 0)
        case "partition", "rpartition":
            let separator = try read("sep", required: 1).string(0)
            return .tuple(try partition(text, separator, fromRight: name == "rpartition"))
        case "removeprefix", "removesuffix":
            let affix = try read("affix", required: 1).string(0)
            return .string(
                name == "removeprefix"
                    ? text.removingPrefix(affix) : text.removingSuffix(affix))
        case "center", "ljust", "rjust":
            let reader = try read("width", "fillchar", required: 1)
            let fill = reader[1] == nil ? " " : try reader.string(1)
            guard let fill = fill.unicodeScalars.first,
                try reader[1] == nil || reader.string(1).unicodeScalars.count == 1
            else {
                throw Reason.invalid(operation: name, problem: "the filling is no single character")
            }
            return .string(try pad(text, try reader.integer(0), fill, name))
        case "zfill":
            return .string(try zeroFill(text, try read("width", required: 1).integer(0)))
        default:
            _ = try read()
            return try callStringQuery(name, text)
        }
    }

    /// The methods of strings without arguments.
    private func callStringQuery(_ name: String, _ text: String) throws -> Value {
        func all(_ holds: (Unicode.Scalar) -> Bool) -> Value {
            .bool(!text.isEmpty && text.unicodeScalars.allSatisfy(holds))
        }
        switch name {
        case "upper": return .string(text.pythonUppercase)
        case "lower": return .string(text.pythonLowercase)
        case "capitalize": return .string(text.pythonCapitalized)
        case "title": return .string(text.pythonTitle)
        case "swapcase": return .string(text.pythonSwappedCase)
        case "isalnum": return all(\.isPythonAlphanumeric)
        case "isalpha": return all(\.isPythonAlpha)
        case "isascii": return .bool(text.unicodeScalars.allSatisfy(\.isASCII))
        case "isdecimal": return all(\.isPythonDecimal)
        case "isdigit": return all(\.isPythonDigit)
        case "isnumeric": return all(\.isPythonNumeric)
        case "isspace": return all(\.isPythonSpace)
        case "isprintable": return .bool(text.unicodeScalars.allSatisfy(\.isPythonPrintable))
        case "islower": return .bool(text.hasOnlyCase { $0.isLowercase })
        case "isupper": return .bool(text.hasOnlyCase { $0.isUppercase })
        default: throw Reason.unsupported("the method '\(name)' of a string")
        }
    }

    private func split(
        _ text: String, _ reader: ArgumentReader, fromRight: Bool
    ) throws -> [Value] {
        let limit = try reader.integer(1, default: -1)
        guard let separator = try reader.optionalString(0) else {
            let pieces =
                fromRight
                ? text.splitFromRight(by: nil, limit: limit) : text.splitAtSpaces(limit: limit)
            return pieces.map { .string($0) }
        }
        guard !separator.isEmpty else {
            throw Reason.invalid(operation: reader.callee, problem: "the separator is empty")
        }
        let pieces =
            fromRight
            ? text.splitFromRight(by: separator, limit: limit)
            : text.split(by: separator, limit: limit)
        return pieces.map { .string($0) }
    }

    /// `str.replace`, its length checked before it is made.
    func replace(_ text: String, _ old: String, _ new: String, _ count: Int) throws -> String {
        var found = text.occurrences(of: old)
        if count >= 0 { found = min(found, count) }
        try checkLength(new.utf8.count, times: found)
        return text.replacing(old, with: new, count: count)
    }

    /// `separator.join(pieces)`, its length checked on the way.
    func join(_ pieces: [String], by separator: String) throws -> String {
        var result = ""
        var bytes = 0
        for (index, piece) in pieces.enumerated() {
            bytes += piece.utf8.count + (index > 0 ? separator.utf8.count : 0)
            try checkLength(bytes)
            if index > 0 { result += separator }
            result += piece
        }
        return result
    }

    /// `str.center`, `ljust` or `rjust`.
    func pad(_ text: String, _ width: Int, _ fill: Unicode.Scalar, _ name: String) throws -> String
    {
        let missing = max(0, width) - text.unicodeScalars.count
        guard missing > 0 else { return text }
        try checkLength(missing, times: 4)
        func filling(_ count: Int) -> String {
            String(scalars: repeatElement(fill, count: count))
        }
        switch name {
        case "ljust": return text + filling(missing)
        case "rjust": return filling(missing) + text
        default:
            // Python puts the odd blank to the left only in an odd width.
            let left = missing / 2 + (missing & width & 1)
            return filling(left) + text + filling(missing - left)
        }
    }

    private func zeroFill(_ text: String, _ width: Int) throws -> String {
        let padded = try pad(text, width, "0", "rjust")
        guard let sign = text.unicodeScalars.first, sign == "-" || sign == "+" else {
            return padded
        }
        let zeros = padded.unicodeScalars.count - text.unicodeScalars.count
        return String(sign) + String(repeating: "0", count: zeros)
            + String(text.unicodeScalars.dropFirst())
    }

    private func partition(
        _ text: String, _ separator: String, fromRight: Bool
    ) throws -> [Value] {
        guard !separator.isEmpty else {
            throw Reason.invalid(operation: "partition", problem: "the separator is empty")
        }
        let pieces =
            fromRight
            ? text.splitFromRight(by: separator, limit: 1) : text.split(by: separator, limit: 1)
        if pieces.count == 2 { return [pieces[0], separator, pieces[1]].map { .string($0) } }
        return (fromRight ? ["", "", text] : [text, "", ""]).map { .string($0) }
    }

    /// The part between the arguments `start` and `end`, and where it starts; nil if `start` lies
    /// behind the end of the text, where not even the empty string is found.
    private func window(
        _ text: String, _ reader: ArgumentReader
    ) throws -> (text: String, start: Int)? {
        guard reader.optional(1) != nil || reader.optional(2) != nil else { return (text, 0) }
        let scalars = Array(text.unicodeScalars)
        func clamp(_ bound: Int?, _ fallback: Int) -> Int {
            guard let bound else { return fallback }
            return bound < 0 ? max(0, max(bound, -scalars.count) + scalars.count) : bound
        }
        let start = clamp(try reader.optionalInteger(1), 0)
        let end = min(clamp(try reader.optionalInteger(2), scalars.count), scalars.count)
        guard start <= end else { return nil }
        return (String(scalars: scalars[start..<end]), start)
    }

    private func find(_ text: String, _ reader: ArgumentReader, _ name: String) throws -> Int {
        let needle = try reader.string(0)
        if let part = try window(text, reader),
            let place = part.text.firstPlace(of: needle, fromEnd: name.hasPrefix("r"))
        {
            return part.start + place
        }
        guard name.hasSuffix("find") else {
            throw Reason.invalid(operation: name, problem: "the substring is not found")
        }
        return -1
    }

    private func hasAffix(
        _ text: String, _ reader: ArgumentReader, _ name: String
    ) throws -> Bool {
        var affixes: [String] = []
        if case .tuple(let choices)? = reader[0] {
            affixes = try choices.map {
                guard case .string(let text) = $0 else { throw reader.mismatch($0) }
                return text
            }
        } else {
            affixes = [try reader.string(0)]
        }
        guard let part = try window(text, reader)?.text else { return false }
        return affixes.contains { affix in
            name == "startswith"
                ? part.utf8.starts(with: affix.utf8)
                : part.utf8.reversed().starts(with: affix.utf8.reversed())
        }
    }
}

extension String {
    /// Whether there are cased letters, and all of them are of one case.
    func hasOnlyCase(_ isOfCase: (Unicode.Scalar.Properties) -> Bool) -> Bool {
        var isCased = false
        for scalar in unicodeScalars {
            let properties = scalar.properties
            let isTitle = properties.generalCategory == .titlecaseLetter
            if isOfCase(properties) {
                isCased = true
            } else if properties.isLowercase || properties.isUppercase || isTitle {
                return false
            }
        }
        return isCased
    }

    fileprivate func removingPrefix(_ prefix: String) -> String {
        guard utf8.starts(with: prefix.utf8) else { return self }
        return String(unicodeScalars.dropFirst(prefix.unicodeScalars.count))
    }

    fileprivate func removingSuffix(_ suffix: String) -> String {
        guard !suffix.isEmpty, utf8.reversed().starts(with: suffix.utf8.reversed()) else {
            return self
        }
        return String(unicodeScalars.dropLast(suffix.unicodeScalars.count))
    }
}

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
