/// Reads a regular expression in the syntax of Python's `re`.
///
/// Known are literals, escapes, sets, groups (also named and not counted), alternatives, repetitions,
/// references, lookahead, anchors, and the flags `i`, `m` and `s` at the start. Anything else is
/// refused by name.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var depth = 0
    private(set) var groups = 0
    private(set) var names: [String: Int] = [:]
    private var openGroups: Set<Int> = []
    private var ignoresCase = false
    private var isMultiline = false
    private var dotMatchesNewline = false

    init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    /// The whole pattern.
    mutating func parse() throws -> PatternNode {
        try readFlags()
        let node = try parseAlternatives()
        if index < scalars.count { throw invalid("')' without '('") }
        return node
    }

    private var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private func isNext(_ text: String) -> Bool {
        scalars[index...].starts(with: text.unicodeScalars)
    }

    private mutating func skip(_ text: String) -> Bool {
        guard isNext(text) else { return false }
        index += text.unicodeScalars.count
        return true
    }

    private func invalid(_ problem: String) -> Reason {
        .invalid(operation: "regular expression '\(String(scalars: scalars))'", problem: problem)
    }

    private func unsupported(_ construct: String) -> Reason {
        .unsupported("'\(construct)' in a regular expression")
    }

    private mutating func readFlags() throws {
        guard isNext("(?"), let end = scalars.firstIndex(of: ")"), end > 2,
            scalars[2..<end].allSatisfy({ "aiLmsux".unicodeScalars.contains($0) })
        else { return }
        for flag in scalars[2..<end] {
            switch flag {
            case "i": ignoresCase = true
            case "m": isMultiline = true
            case "s": dotMatchesNewline = true
            case "u": break
            default: throw unsupported("(?\(flag))")
            }
        }
        index = end + 1
    }

    private mutating func parseAlternatives() throws -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 50 else { throw Reason.limitExceeded("levels of groups", limit: 50) }
        var branches = [try parseSequence()]
        while skip("|") { branches.append(try parseSequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func parseSequence() throws -> PatternNode {
        var items: [PatternNode] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            let item = try parseItem()
            items.append(try parseRepetition(of: item))
        }
        return .sequence(items)
    }

    private func literal(_ scalar: Unicode.Scalar) -> PatternNode {
        .character(set([.range(scalar.value...scalar.value)]))
    }

    private func set(
        _ parts: [PatternNode.CharacterSet.Part], isNegated: Bool = false
    ) -> PatternNode.CharacterSet {
        .init(parts: parts, isNegated: isNegated, ignoresCase: ignoresCase)
    }

    private mutating func parseItem() throws -> PatternNode {
        let scalar = scalars[index]
        index += 1
        switch scalar {
        case ".":
            let newline = PatternNode.CharacterSet.Part.range(0x0A...0x0A)
            return .character(.init(parts: dotMatchesNewline ? [] : [newline], isNegated: true))
        case "^": return isMultiline ? .lineStart : .textStart
        case "$": return isMultiline ? .lineEnd : .textEndOrLastNewline
        case "(": return try parseGroup()
        case "[": return .character(try parseSet())
        case "\\": return try parseEscape()
        case "*", "+", "?": throw invalid("there is nothing to repeat")
        default: return literal(scalar)
        }
    }

    private mutating func parseGroup() throws -> PatternNode {
        func closed(_ parser: inout PatternParser) throws -> PatternNode {
            let node = try parser.parseAlternatives()
            guard parser.skip(")") else { throw parser.invalid("a group is not closed") }
            return node
        }
        if skip("?:") { return try closed(&self) }
        if skip("?=") { return .lookahead(try closed(&self), isNegated: false) }
        if skip("?!") { return .lookahead(try closed(&self), isNegated: true) }
        var name: String?
        if skip("?P<") {
            guard let end = scalars[index...].firstIndex(of: ">") else {
                throw invalid("a group's name is cut short")
            }
            name = String(scalars: scalars[index..<end])
            index = end + 1
        } else if skip("?P=") {
            guard let end = scalars[index...].firstIndex(of: ")"),
                let group = names[String(scalars: scalars[index..<end])],
                !openGroups.contains(group)
            else { throw invalid("a reference to no group") }
            index = end + 1
            return try reference(group)
        } else if isNext("?") {
            throw unsupported("(" + String(scalars: scalars[index...].prefix(3)))
        }
        groups += 1
        let number = groups
        if let name {
            guard names[name] == nil else { throw invalid("the group '\(name)' is there twice") }
            names[name] = number
        }
        openGroups.insert(number)
        let node = try closed(&self)
        openGroups.remove(number)
        return .group(node, number: number)
    }

    private func reference(_ group: Int) throws -> PatternNode {
        if ignoresCase { throw unsupported("a reference with (?i)") }
        return .reference(group)
    }

    private mutating func parseRepetition(of item: PatternNode) throws -> PatternNode {
        var node = item
        var isRepeated = false
        while let (least, most) = try readBounds() {
            if isRepeated { throw invalid("a repetition of a repetition") }
            isRepeated = true
            switch item {
            case .lineStart, .lineEnd, .textStart, .textEnd, .textEndOrLastNewline, .wordBoundary:
                throw unsupported("a repeated anchor")
            default: break
            }
            if isNext("+") { throw unsupported("a possessive repetition") }
            node = .repetition(node, least: least, most: most, isGreedy: !skip("?"))
        }
        return node
    }

    private mutating func readBounds() throws -> (Int, Int?)? {
        if skip("*") { return (0, nil) }
        if skip("+") { return (1, nil) }
        if skip("?") { return (0, 1) }
        guard isNext("{"), let end = scalars[index...].firstIndex(of: "}") else { return nil }
        let text = scalars[(index + 1)..<end]
        let bounds = text.split(separator: ",", omittingEmptySubsequences: false)
        // Braces around anything else stand for themselves.
        guard !text.isEmpty, bounds.count <= 2,
            bounds.allSatisfy({ $0.allSatisfy(\.isDigit) })
        else { return nil }
        index = end + 1
        let numbers = bounds.map { Int(String(scalars: $0)) }
        let least = bounds[0].isEmpty ? 0 : numbers[0]
        let most = bounds.count == 2 && bounds[1].isEmpty ? nil : numbers[bounds.count - 1]
        guard let least, least <= 1000, most ?? 0 <= 1000 else {
            throw Reason.limitExceeded("repetitions", limit: 1000)
        }
        if let most, most < least { throw invalid("the bounds of a repetition are swapped") }
        return (least, most)
    }
}

extension PatternParser {
    private mutating func parseEscape() throws -> PatternNode {
        guard let scalar = current else { throw invalid("a backslash at the end") }
        switch scalar {
        case "b", "B":
            index += 1
            return .wordBoundary(isNegated: scalar == "B")
        case "A":
            index += 1
            return .textStart
        case "Z":
            index += 1
            return .textEnd
        case "1"..."9":
            var number = 0
            while let digit = current, digit.isDigit, number < 100 {
                number = number * 10 + (digit.asciiDigitValue ?? 0)
                index += 1
            }
            guard number <= groups, !openGroups.contains(number) else {
                throw invalid("a reference to no group")
            }
            return try reference(number)
        default: return .character(set([try parseSetEscape()]))
        }
    }

    /// An escape that stands for characters; the backslash has been read.
    private mutating func parseSetEscape() throws -> PatternNode.CharacterSet.Part {
        guard let scalar = current else { throw invalid("a backslash at the end") }
        index += 1
        func code(_ value: UInt32) -> PatternNode.CharacterSet.Part { .range(value...value) }
        switch scalar {
        case "d", "D": return .digit(isNegated: scalar == "D")
        case "s", "S": return .space(isNegated: scalar == "S")
        case "w", "W": return .word(isNegated: scalar == "W")
        case "a": return code(0x07)
        case "f": return code(0x0C)
        case "n": return code(0x0A)
        case "r": return code(0x0D)
        case "t": return code(0x09)
        case "v": return code(0x0B)
        case "x": return code(try readCode(digits: 2))
        case "u": return code(try readCode(digits: 4))
        case "U": return code(try readCode(digits: 8))
        case "0": throw unsupported("\\0")
        case "a"..."z", "A"..."Z", "1"..."9": throw unsupported("\\\(scalar)")
        default: return code(scalar.value)
        }
    }

    private mutating func readCode(digits: Int) throws -> UInt32 {
        let text = scalars[index...].prefix(digits)
        guard text.count == digits, text.allSatisfy({ ($0.asciiDigitValue ?? 99) < 16 }),
            let value = UInt32(String(scalars: text), radix: 16)
        else { throw invalid("an escape is cut short") }
        index += digits
        return value
    }

    private mutating func parseSet() throws -> PatternNode.CharacterSet {
        let isNegated = skip("^")
        var parts: [PatternNode.CharacterSet.Part] = []
        var isFirst = true
        while let scalar = current, scalar != "]" || isFirst {
            isFirst = false
            let low = try parseSetItem()
            guard isNext("-"), index + 1 < scalars.count, scalars[index + 1] != "]" else {
                parts.append(low)
                continue
            }
            index += 1
            guard case .range(let first) = low, case .range(let last) = try parseSetItem(),
                first.lowerBound <= last.lowerBound
            else { throw invalid("a range of characters is no range") }
            parts.append(.range(first.lowerBound...last.lowerBound))
        }
        guard skip("]") else { throw invalid("a set of characters is not closed") }
        return set(parts, isNegated: isNegated)
    }

    private mutating func parseSetItem() throws -> PatternNode.CharacterSet.Part {
        guard let scalar = current else { throw invalid("a set of characters is not closed") }
        index += 1
        guard scalar == "\\" else { return .range(scalar.value...scalar.value) }
        if current == "b" {
            index += 1
            return .range(0x08...0x08)
        }
        return try parseSetEscape()
    }
}
