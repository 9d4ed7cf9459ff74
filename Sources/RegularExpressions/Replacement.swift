import Python

extension RegularExpression {
    /// Python's `re.sub`.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - template: The replacement, with references such as `\1` and `\g<name>`.
    ///   - count: How many matches are replaced; all if it is not positive.
    ///   - check: Is told how long the replacements are so far, in bytes; may throw.
    ///   - charge: As of ``matches(in:limit:charge:)``.
    /// - Returns: The text with its matches replaced.
    /// - Throws: ``RegularExpressionError``, or what `check` or `charge` threw.
    package func replacing(
        in text: String, with template: String, count: Int = 0,
        check: (Int) throws -> Void = { _ in }, charge: (Int) throws -> Void = { _ in }
    ) throws -> String {
        let replacement = try Replacement(template, self)
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var (end, written) = (0, 0)
        for match in try matches(in: text, limit: count <= 0 ? .max : count, charge: charge) {
            result += bytes[end..<match.range.lowerBound]
            for part in replacement.parts {
                let added: ArraySlice<UInt8>
                switch part {
                case .text(let text): added = text[...]
                // A group that took no part counts as empty.
                case .group(let group): added = match.groups[group].map { bytes[$0] } ?? []
                }
                written += added.count
                try check(written)
                result += added
            }
            end = match.range.upperBound
        }
        return String(decoding: result + bytes[end...], as: UTF8.self)
    }
}

/// The replacement of `re.sub`, with references such as `\1` and `\g<name>`.
private struct Replacement {
    enum Part {
        case text([UInt8])
        case group(Int)
    }

    private(set) var parts: [Part] = []
    private let source: String

    init(_ source: String, _ pattern: RegularExpression) throws(RegularExpressionError) {
        self.source = source
        let scalars = Array(source.unicodeScalars)
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            guard scalar == "\\" else {
                append(scalar)
                continue
            }
            guard index < scalars.count else { throw invalid("a backslash at the end") }
            let mark = scalars[index]
            index += 1
            switch mark {
            case "g": parts.append(.group(try readName(scalars, &index, pattern)))
            case "0"..."9":
                let digits = scalars[(index - 1)...].prefix(3).prefix(while: \.isDigit)
                let octal = digits.prefix { "0"..."7" ~= $0 }
                if mark == "0" || octal.count == 3 {
                    // \0, \0N and \0NN, and three octal digits, are characters.
                    guard let code = UInt32(String(scalars: octal), radix: 8), code <= 0o377,
                        let character = Unicode.Scalar(code)
                    else { throw invalid("an octal escape is no character") }
                    index += octal.count - 1
                    append(character)
                } else {
                    let text = String(scalars: digits.prefix(2))
                    guard let number = Int(text), number <= pattern.groups else {
                        throw invalid("there is no group \(text)")
                    }
                    index += text.utf8.count - 1
                    parts.append(.group(number))
                }
            case "n": append("\n")
            case "t": append("\t")
            case "r": append("\r")
            case "a": append("\u{07}")
            case "b": append("\u{08}")
            case "f": append("\u{0C}")
            case "v": append("\u{0B}")
            case "\\": append("\\")
            case "a"..."z", "A"..."Z": throw invalid("there is no escape '\\\(mark)'")
            default:
                append("\\")
                append(mark)
            }
        }
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        if case .text(let bytes)? = parts.last {
            parts[parts.count - 1] = .text(bytes + String(scalar).utf8)
        } else {
            parts.append(.text(Array(String(scalar).utf8)))
        }
    }

    private func readName(
        _ scalars: [Unicode.Scalar], _ index: inout Int, _ pattern: RegularExpression
    ) throws(RegularExpressionError) -> Int {
        guard index < scalars.count, scalars[index] == "<",
            let end = scalars[index...].firstIndex(of: ">")
        else { throw invalid("a group's name is cut short") }
        let name = String(scalars: scalars[(index + 1)..<end])
        index = end + 1
        if let number = Int(name), number >= 0, number <= pattern.groups { return number }
        guard let number = pattern.names[name] else { throw invalid("there is no group '\(name)'") }
        return number
    }

    private func invalid(_ problem: String) -> RegularExpressionError {
        .invalid(pattern: source, problem: "the replacement is wrong: \(problem)")
    }
}
