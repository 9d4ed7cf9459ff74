import Python

/// A regular expression in the syntax of Python's `re`, rewritten for PCRE2.
///
/// Most of both is alike. What differs is spelt out here, so that a pattern means what it means in
/// Python, whatever else PCRE2 could read in it: classes such as `\w` and `\s`, `\b`, `\Z`, octal and
/// Unicode escapes, named groups, `{,n}`, and whatever Python refuses.
struct PythonPattern {
    /// The pattern for PCRE2.
    private(set) var translation = ""
    /// The number of groups that capture.
    private(set) var groups = 0
    /// Their numbers by name.
    private(set) var names: [String: Int] = [:]
    /// The flags given at the start.
    private(set) var flags: Set<Unicode.Scalar> = []

    private let scalars: [Unicode.Scalar]
    private var index = 0
    /// What is open: the number of a capturing group, or 0, and whether blanks count outside of it.
    private var open: [(group: Int, isVerbose: Bool)] = []
    private var isVerbose = false
    private var previous = Previous.nothing

    /// What a repetition would repeat.
    private enum Previous { case nothing, anchor, item, repetition }

    private static let word = #"\p{L}\p{N}_"#
    private static let spaces = Self.ranges(Unicode.Scalar.pythonSpaces)
    private static let notSpaces: String = {
        var next: UInt32 = 0
        var others: [ClosedRange<UInt32>] = []
        for range in Unicode.Scalar.pythonSpaces {
            if next < range.lowerBound { others.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        return ranges(others + [next...0x10FFFF])
    }()

    /// Rewrites a pattern.
    init(_ pattern: String) throws(RegularExpressionError) {
        scalars = Array(pattern.unicodeScalars)
        try readGlobalFlags()
        while index < scalars.count { try readItem() }
        guard open.isEmpty else { throw invalid("a group is not closed") }
    }

    private static func ranges(_ ranges: [ClosedRange<UInt32>]) -> String {
        ranges.map { range in
            let low = "\\x{\(String(range.lowerBound, radix: 16))}"
            return range.count == 1 ? low : "\(low)-\\x{\(String(range.upperBound, radix: 16))}"
        }.joined()
    }

    // MARK: - Reading

    private var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private mutating func skip(_ text: String) -> Bool {
        guard scalars[index...].starts(with: text.unicodeScalars) else { return false }
        index += text.unicodeScalars.count
        return true
    }

    /// The text up to a scalar, which is skipped, too.
    private mutating func read(
        to end: Unicode.Scalar, _ problem: String
    ) throws(RegularExpressionError) -> String {
        guard let stop = scalars[index...].firstIndex(of: end) else { throw invalid(problem) }
        defer { index = stop + 1 }
        return String(scalars: scalars[index..<stop])
    }

    private func invalid(_ problem: String) -> RegularExpressionError {
        .invalid(pattern: String(scalars: scalars), problem: problem)
    }

    private func unsupported(_ construct: String) -> RegularExpressionError {
        .unsupported("'\(construct)' in a regular expression")
    }

    private mutating func emit(_ text: String, _ kind: Previous = .item) {
        translation += text
        previous = kind
    }

    /// A character that stands for itself.
    private func literal(_ scalar: Unicode.Scalar) -> String {
        let isPlain = !scalar.isASCII || scalar == "_" || (scalar.asciiDigitValue != nil)
        return isPlain ? String(scalar) : "\\x{\(String(scalar.value, radix: 16))}"
    }

    private mutating func readGlobalFlags() throws(RegularExpressionError) {
        guard scalars.starts(with: "(?".unicodeScalars),
            let end = scalars.firstIndex(of: ")"), end > 2,
            scalars[2..<end].allSatisfy({ "aiLmsux".unicodeScalars.contains($0) })
        else { return }
        for flag in scalars[2..<end] {
            if flag == "a" || flag == "L" { throw unsupported("(?\(flag))") }
            flags.insert(flag)
        }
        isVerbose = flags.contains("x")
        index = end + 1
    }

    private mutating func readItem() throws(RegularExpressionError) {
        let scalar = scalars[index]
        index += 1
        switch scalar {
        case ".": emit(".")
        case "^", "$": emit(String(scalar), .anchor)
        case "|": emit("|", .nothing)
        case "(": try openGroup()
        case ")":
            guard let last = open.popLast() else { throw invalid("')' without '('") }
            isVerbose = last.isVerbose
            emit(")")
        case "[": try readSet()
        case "\\": try readEscape()
        case "*", "+", "?": try readRepetition(String(scalar))
        case "{":
            if let bounds = readBounds() {
                try readRepetition(bounds)
            } else {
                emit(literal(scalar))
            }
        case _ where isVerbose && " \t\n\r\u{0B}\u{0C}".unicodeScalars.contains(scalar): break
        case "#" where isVerbose:
            while let scalar = current, scalar != "\n" { index += 1 }
        default: emit(literal(scalar))
        }
    }

    private mutating func readRepetition(_ bounds: String) throws(RegularExpressionError) {
        switch previous {
        case .nothing, .anchor: throw invalid("there is nothing to repeat")
        case .repetition: throw invalid("a repetition of a repetition")
        case .item: break
        }
        let suffix = skip("?") ? "?" : skip("+") ? "+" : ""
        emit(bounds + suffix, .repetition)
    }

    /// Bounds in braces, after the opening one; nil if they stand for themselves.
    private mutating func readBounds() -> String? {
        guard let end = scalars[index...].firstIndex(of: "}"), end > index else { return nil }
        let bounds = scalars[index..<end].split(separator: ",", omittingEmptySubsequences: false)
        guard bounds.count <= 2, bounds.allSatisfy({ $0.allSatisfy(\.isDigit) }) else { return nil }
        index = end + 1
        let texts = bounds.map { String(scalars: $0) }
        let least = texts[0].isEmpty ? "0" : texts[0]
        return texts.count == 1 ? "{\(least)}" : "{\(least),\(texts[1])}"
    }

    // MARK: - Groups

    private mutating func push(_ text: String, group: Int = 0) {
        open.append((group, isVerbose))
        emit(text, .nothing)
    }

    private mutating func openGroup() throws(RegularExpressionError) {
        guard skip("?") else {
            groups += 1
            return push("(", group: groups)
        }
        for mark in [":", "=", "!", "<=", "<!", ">"] where skip(mark) { return push("(?\(mark)") }
        if skip("#") {
            _ = try read(to: ")", "a comment is not closed")
        } else if skip("P<") {
            let name = try read(to: ">", "a group's name is cut short")
            guard names[name] == nil else { throw invalid("the group '\(name)' is there twice") }
            let isName = name.unicodeScalars.enumerated().allSatisfy { place, scalar in
                scalar == "_" || (place == 0 ? scalar.properties.isXIDStart : scalar.isPythonWord)
            }
            guard isName, !name.isEmpty else { throw invalid("'\(name)' is no name of a group") }
            groups += 1
            names[name] = groups
            push("(", group: groups)
        } else if skip("P=") {
            let name = try read(to: ")", "a reference is cut short")
            try refer(to: names[name])
        } else if skip("(") {
            let name = try read(to: ")", "a condition is cut short")
            guard let number = names[name] ?? Int(name), 1...max(groups, 1) ~= number else {
                throw invalid("a condition on no group")
            }
            push("(?(\(number))")
        } else {
            try readScopedFlags()
        }
    }

    private mutating func readScopedFlags() throws(RegularExpressionError) {
        let start = index
        var isOn = true
        var text = "(?"
        var isVerboseInside = isVerbose
        while let flag = current, "imsx-".unicodeScalars.contains(flag), isOn || flag != "-" {
            index += 1
            if flag == "-" { isOn = false }
            if flag == "x" { isVerboseInside = isOn } else { text += String(flag) }
        }
        guard index > start, skip(":") else {
            throw unsupported("(?" + String(scalars: scalars[start...].prefix(index - start + 1)))
        }
        push(text + ":")
        isVerbose = isVerboseInside
    }

    private mutating func refer(to number: Int?) throws(RegularExpressionError) {
        guard let number, number <= groups, !open.contains(where: { $0.group == number }) else {
            throw invalid("a reference to no group")
        }
        emit("\\g{\(number)}")
    }

    // MARK: - Escapes and sets

    private mutating func readEscape() throws(RegularExpressionError) {
        guard let scalar = current else { throw invalid("a backslash at the end") }
        let (word, after) = ("(?<=[\(Self.word)])", "(?=[\(Self.word)])")
        let (noWord, notAfter) = ("(?<![\(Self.word)])", "(?![\(Self.word)])")
        switch scalar {
        case "A": emit("\\A", .anchor)
        case "Z": emit("\\z", .anchor)
        case "b": emit("(?:\(word)\(notAfter)|\(noWord)\(after))", .anchor)
        // Python finds neither a boundary nor its absence in an empty text.
        case "B": emit("(?:\(word)\(after)|\(noWord)\(notAfter)(?!\\A\\z))", .anchor)
        case "1"..."9":
            let digits = scalars[index...].prefix(3).prefix(while: \.isDigit)
            if digits.count == 3, digits.allSatisfy({ "0"..."7" ~= $0 }) { break }
            index += min(digits.count, 2)
            return try refer(to: Int(String(scalars: digits.prefix(2))))
        default: break
        }
        if "AZbB".unicodeScalars.contains(scalar) {
            index += 1
            return
        }
        switch try readSetItem(escaped: true) {
        case .character(let scalar): emit(literal(scalar))
        case .set(let text): emit("[\(text)]")
        case .notWord: emit("[^\(Self.word)]")
        }
    }

    /// An item of a set: a character, ranges of them, or all that are part of no word, which PCRE2
    /// cannot have among others.
    private enum SetItem {
        case character(Unicode.Scalar)
        case set(String)
        case notWord
    }

    private mutating func readSet() throws(RegularExpressionError) {
        let isNegated = skip("^")
        var text = ""
        var hasNotWord = false
        var isFirst = true
        while let scalar = current, scalar != "]" || isFirst {
            isFirst = false
            switch try readSetItem(escaped: skip("\\")) {
            case .notWord: hasNotWord = true
            case .set(let ranges): text += ranges
            case .character(let low):
                text += literal(low)
                let rest = scalars[index...].prefix(2)
                guard rest.count == 2, rest.first == "-", rest.last != "]" else { continue }
                index += 1
                guard case .character(let high) = try readSetItem(escaped: skip("\\")), low <= high
                else { throw invalid("a range of characters is no range") }
                text += "-" + literal(high)
            }
        }
        guard skip("]") else { throw invalid("a set of characters is not closed") }
        switch (hasNotWord, isNegated) {
        case (false, false): emit("[\(text)]")
        case (false, true): emit("[^\(text)]")
        case (true, false):
            emit("(?:[^\(Self.word)]" + (text.isEmpty ? ")" : "|[\(text)])"))
        case (true, true):
            emit("(?:" + (text.isEmpty ? "" : "(?![\(text)])") + "[\(Self.word)])")
        }
    }

    private mutating func readSetItem(escaped: Bool) throws(RegularExpressionError) -> SetItem {
        guard let scalar = current else {
            throw invalid(escaped ? "a backslash at the end" : "a set of characters is not closed")
        }
        index += 1
        guard escaped else { return .character(scalar) }
        switch scalar {
        case "d": return .set("\\p{Nd}")
        case "D": return .set("\\P{Nd}")
        case "s": return .set(Self.spaces)
        case "S": return .set(Self.notSpaces)
        case "w": return .set(Self.word)
        case "W": return .notWord
        case "a": return .character("\u{07}")
        case "b": return .character("\u{08}")
        case "f": return .character("\u{0C}")
        case "n": return .character("\n")
        case "r": return .character("\r")
        case "t": return .character("\t")
        case "v": return .character("\u{0B}")
        case "x": return .character(try readCode(digits: 2))
        case "u": return .character(try readCode(digits: 4))
        case "U": return .character(try readCode(digits: 8))
        case "0"..."7":
            let digits = scalars[(index - 1)...].prefix(3).prefix { "0"..."7" ~= $0 }
            guard let code = UInt32(String(scalars: digits), radix: 8), code <= 0o377,
                scalar == "0" || digits.count == 3, let character = Unicode.Scalar(code)
            else { throw invalid("an octal escape is no character") }
            index += digits.count - 1
            return .character(character)
        case "a"..."z", "A"..."Z", "8", "9": throw unsupported("\\\(scalar)")
        default: return .character(scalar)
        }
    }

    private mutating func readCode(digits: Int) throws(RegularExpressionError) -> Unicode.Scalar {
        let text = scalars[index...].prefix(digits)
        guard text.count == digits, text.allSatisfy(\.properties.isASCIIHexDigit),
            let value = UInt32(String(scalars: text), radix: 16), let scalar = Unicode.Scalar(value)
        else { throw invalid("an escape is cut short or is no character") }
        index += digits
        return scalar
    }
}
