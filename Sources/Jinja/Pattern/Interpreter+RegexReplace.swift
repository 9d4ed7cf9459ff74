extension Interpreter {
    /// The harness's filter `regex_replace`: Python's `re.sub`.
    func regexReplace(_ text: String, _ reader: ArgumentReader) throws -> String {
        let pattern = try Pattern(try reader.string(0))
        let replacement = try Replacement(try reader.string(1), pattern)
        let count = try reader.integer(2, default: 0)
        let scalars = Array(text.unicodeScalars)
        let matcher = PatternMatcher(pattern: pattern, text: scalars, charge: charge)
        var result = String.UnicodeScalarView()
        var bytes = 0
        var end = 0
        // A negative count replaces everything, as in Python.
        for captures in try matcher.matches(limit: count <= 0 ? .max : count) {
            guard let start = captures[0], let stop = captures[1] else { continue }
            result.append(contentsOf: scalars[end..<start])
            for part in replacement.parts {
                switch part {
                case .text(let scalars):
                    bytes += scalars.count
                    result.append(contentsOf: scalars)
                case .group(let group):
                    // A group that took no part counts as empty.
                    guard let from = captures[2 * group], let to = captures[2 * group + 1] else {
                        continue
                    }
                    bytes += to - from
                    result.append(contentsOf: scalars[from..<to])
                }
                try checkLength(bytes)
            }
            end = stop
        }
        result.append(contentsOf: scalars[end...])
        return String(result)
    }
}

/// The replacement of `re.sub`, with references such as `\1` and `\g<name>`.
private struct Replacement {
    enum Part {
        case text([Unicode.Scalar])
        case group(Int)
    }

    private(set) var parts: [Part] = []

    init(_ source: String, _ pattern: Pattern) throws {
        let scalars = Array(source.unicodeScalars)
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            guard scalar == "\\" else {
                append(scalar)
                continue
            }
            guard index < scalars.count else {
                throw Self.invalid("a backslash at the end")
            }
            let mark = scalars[index]
            index += 1
            switch mark {
            case "g": parts.append(.group(try Self.readName(scalars, &index, pattern)))
            case "1"..."9":
                var number = mark.asciiDigitValue ?? 0
                if index < scalars.count, let digit = scalars[index].asciiDigitValue, digit < 10 {
                    number = number * 10 + digit
                    index += 1
                    if index < scalars.count, scalars[index].isDigit {
                        throw Reason.unsupported("an octal escape in a replacement")
                    }
                }
                guard number <= pattern.groups else {
                    throw Self.invalid("there is no group \(number)")
                }
                parts.append(.group(number))
            case "0": throw Reason.unsupported("an octal escape in a replacement")
            case "n": append("\n")
            case "t": append("\t")
            case "r": append("\r")
            case "a": append("\u{07}")
            case "b": append("\u{08}")
            case "f": append("\u{0C}")
            case "v": append("\u{0B}")
            case "\\": append("\\")
            case "a"..."z", "A"..."Z": throw Self.invalid("there is no escape '\\\(mark)'")
            default:
                append("\\")
                append(mark)
            }
        }
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        if case .text(let scalars)? = parts.last {
            parts[parts.count - 1] = .text(scalars + [scalar])
        } else {
            parts.append(.text([scalar]))
        }
    }

    private static func readName(
        _ scalars: [Unicode.Scalar], _ index: inout Int, _ pattern: Pattern
    ) throws -> Int {
        guard index < scalars.count, scalars[index] == "<",
            let end = scalars[index...].firstIndex(of: ">")
        else { throw invalid("a group's name is cut short") }
        let name = String(scalars: scalars[(index + 1)..<end])
        index = end + 1
        if let number = Int(name), number >= 0, number <= pattern.groups { return number }
        guard let number = pattern.names[name] else { throw invalid("there is no group '\(name)'") }
        return number
    }

    private static func invalid(_ problem: String) -> Reason {
        .invalid(operation: "the replacement of 'regex_replace'", problem: problem)
    }
}
