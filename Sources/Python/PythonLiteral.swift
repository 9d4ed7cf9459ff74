/// What a literal of Python stands for.
package enum PythonValue: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    /// A list or a tuple.
    case list([PythonValue])
    /// The entries in the order written; a key may come again, and its last value counts.
    case dictionary([(key: String, value: PythonValue)])
}

/// Reads a Python literal, as `ast.literal_eval` does.
///
/// Strings (single, double or triple quotes, with or without `r` and `u`, side by side or alone),
/// numbers, `True`, `False`, `None`, lists, tuples and dictionaries with strings as keys. Tuples come
/// out as lists. What else Python reads (bytes, sets, complex numbers, `\N{…}`, integers beyond 64
/// bits) is an error.
package enum PythonLiteral {
    /// Why a text is no literal: at which character, from 1, and what stands there.
    package struct Failure: Error, Equatable {
        package let character: Int
        package let problem: String
    }

    /// Reads one literal, with white space around it at most.
    package static func parse(_ text: String) throws(Failure) -> PythonValue {
        var parser = Parser(scalars: Array(text.unicodeScalars))
        return try parser.document()
    }

    private struct Parser {
        let scalars: [Unicode.Scalar]
        var position = 0
        var depth = 0

        init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

        func failure(_ problem: String) -> Failure {
            Failure(character: position + 1, problem: problem)
        }

        func unexpected(_ expected: String) -> Failure {
            failure(
                position < scalars.count
                    ? "found '\(scalars[position])', expected \(expected)"
                    : "text ends, expected \(expected)")
        }

        var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

        func starts(with word: String) -> Bool {
            scalars[position...].starts(with: word.unicodeScalars)
        }

        mutating func skipSpace() {
            while let scalar = next, " \t\n\r\u{C}".unicodeScalars.contains(scalar) {
                position += 1
            }
        }

        mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
            skipSpace()
            guard next == scalar else { return false }
            position += 1
            return true
        }

        mutating func document() throws(Failure) -> PythonValue {
            let first = try value()
            skipSpace()
            guard next == "," else {
                if position < scalars.count { throw unexpected("the end") }
                return first
            }
            // A tuple without parentheses.
            var items = [first]
            while skip(",") {
                skipSpace()
                if position == scalars.count { break }
                items.append(try value())
                skipSpace()
            }
            if position < scalars.count { throw unexpected("',' or the end") }
            return .list(items)
        }

        mutating func value() throws(Failure) -> PythonValue {
            skipSpace()
            guard let first = next else { throw unexpected("a value") }
            switch first {
            case "[": return .list(try nested("]").items)
            case "(":
                let (items, hasComma) = try nested(")")
                return items.count == 1 && !hasComma ? items[0] : .list(items)
            case "{": return try dictionary()
            case "-", "+", ".", "0"..."9": return try number()
            case "'", "\"": return .string(try strings())
            default: return try word()
            }
        }

        mutating func enter() throws(Failure) {
            depth += 1
            if depth > 100 { throw failure("values are nested more than 100 deep") }
        }

        mutating func nested(
            _ close: Unicode.Scalar
        ) throws(Failure) -> (items: [PythonValue], hasComma: Bool) {
            try enter()
            defer { depth -= 1 }
            position += 1
            var items: [PythonValue] = []
            var hasComma = false
            while !skip(close) {
                items.append(try value())
                if skip(",") {
                    hasComma = true
                } else {
                    skipSpace()
                    guard next == close else { throw unexpected("',' or '\(close)'") }
                }
            }
            return (items, hasComma)
        }

        mutating func dictionary() throws(Failure) -> PythonValue {
            try enter()
            defer { depth -= 1 }
            position += 1
            var entries: [(key: String, value: PythonValue)] = []
            while !skip("}") {
                guard case .string(let key) = try value() else {
                    throw failure("found a key that is no string, expected a string")
                }
                guard skip(":") else { throw unexpected("':'") }
                entries.append((key, try value()))
                if !skip(","), next != "}" { throw unexpected("',' or '}'") }
            }
            return .dictionary(entries)
        }

        mutating func word() throws(Failure) -> PythonValue {
            for (word, value) in [
                ("None", PythonValue.none), ("True", .bool(true)), ("False", .bool(false)),
            ] where starts(with: word) {
                position += word.utf8.count
                if let after = next, after.properties.isXIDContinue { break }
                return value
            }
            for prefix in ["r", "R", "u", "U"] where starts(with: prefix) {
                let quote = position + 1 < scalars.count ? scalars[position + 1] : " "
                if quote == "'" || quote == "\"" { return .string(try strings()) }
            }
            throw unexpected("a literal")
        }

        mutating func number() throws(Failure) -> PythonValue {
            var sign = 1
            if let scalar = next, scalar == "-" || scalar == "+" {
                if scalar == "-" { sign = -sign }
                position += 1
                skipSpace()
            }
            let start = position
            while let scalar = next,
                scalar.properties.isASCIIHexDigit || "._xXoO".unicodeScalars.contains(scalar)
                    || ((scalar == "+" || scalar == "-") && position > start
                        && "eE".unicodeScalars.contains(scalars[position - 1])
                        && !isRadix(start))
            {
                position += 1
            }
            var text = String(String.UnicodeScalarView(scalars[start..<position])).lowercased()
            guard !text.hasPrefix("_"), !text.hasSuffix("_"), !text.contains("__") else {
                position = start
                throw unexpected("a number")
            }
            text.removeAll { $0 == "_" }
            if let value = PythonLiteral.integer(text, negative: sign < 0) {
                return .int(value)
            }
            let isDecimal = text.contains(".") || (text.contains("e") && !text.hasPrefix("0x"))
            if isDecimal, !text.contains("x"),
                let value = Double(text.hasPrefix(".") ? "0" + text : text)
            {
                return .float(sign < 0 ? -value : value)
            }
            position = start
            throw unexpected("a number in Python's notation, of 64 bits at most")
        }

        private func isRadix(_ start: Int) -> Bool {
            start + 1 < scalars.count && scalars[start] == "0"
                && "xX".unicodeScalars.contains(scalars[start + 1])
        }

        /// One string, or several side by side.
        mutating func strings() throws(Failure) -> String {
            var result = String.UnicodeScalarView()
            while true {
                skipSpace()
                let isRaw = next == "r" || next == "R"
                let hasPrefix = isRaw || next == "u" || next == "U"
                let place = hasPrefix ? position + 1 : position
                guard place < scalars.count, scalars[place] == "'" || scalars[place] == "\"" else {
                    return String(result)
                }
                position = place
                try string(isRaw: isRaw, into: &result)
            }
        }

        mutating func string(
            isRaw: Bool, into result: inout String.UnicodeScalarView
        ) throws(Failure) {
            let quote = scalars[position]
            let isLong = scalars[position...].starts(with: [quote, quote, quote])
            position += isLong ? 3 : 1
            while let scalar = next {
                if scalar == quote {
                    if !isLong {
                        position += 1
                        return
                    }
                    if scalars[position...].starts(with: [quote, quote, quote]) {
                        position += 3
                        return
                    }
                } else if scalar == "\n", !isLong {
                    throw failure("line ends in a string, expected \(quote)")
                } else if scalar == "\\" {
                    position += 1
                    try escape(isRaw: isRaw, into: &result)
                    continue
                }
                result.append(scalar)
                position += 1
            }
            throw unexpected("\(quote)")
        }

        mutating func escape(
            isRaw: Bool, into result: inout String.UnicodeScalarView
        ) throws(Failure) {
            guard let scalar = next else { throw unexpected("an escape") }
            position += 1
            if isRaw {
                result.append(contentsOf: ["\\", scalar])
                return
            }
            switch scalar {
            case "\n": break
            case "\\", "'", "\"": result.append(scalar)
            case "a": result.append("\u{7}")
            case "b": result.append("\u{8}")
            case "f": result.append("\u{C}")
            case "n": result.append("\n")
            case "r": result.append("\r")
            case "t": result.append("\t")
            case "v": result.append("\u{B}")
            case "x": result.append(try code(digits: 2))
            case "u": result.append(try code(digits: 4))
            case "U": result.append(try code(digits: 8))
            case "0"..."7":
                var value = scalar.value - 48
                for _ in 0..<2 {
                    guard let digit = next, "0"..."7" ~= digit else { break }
                    value = value * 8 + digit.value - 48
                    position += 1
                }
                guard let scalar = Unicode.Scalar(value) else { throw failure("bad escape") }
                result.append(scalar)
            case "N": throw failure("escape \\N{…} is not supported")
            default: result.append(contentsOf: ["\\", scalar])
            }
        }

        mutating func code(digits: Int) throws(Failure) -> Unicode.Scalar {
            let end = position + digits
            guard end <= scalars.count,
                scalars[position..<end].allSatisfy(\.properties.isASCIIHexDigit),
                let value = UInt32(
                    String(String.UnicodeScalarView(scalars[position..<end])), radix: 16),
                let scalar = Unicode.Scalar(value)
            else {
                throw failure(
                    "found an escape that is no character, expected \(digits) hexadecimal digits")
            }
            position = end
            return scalar
        }
    }

    /// A Python integer without sign and underscores, in lower case; nil if it is none of 64 bits.
    private static func integer(_ text: String, negative: Bool) -> Int? {
        let sign = negative ? "-" : ""
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
            return Int(sign + text.dropFirst(2), radix: radix)
        }
        guard text.isDigits, !text.hasPrefix("0") || text.utf8.allSatisfy({ $0 == 0x30 }) else {
            return nil
        }
        return Int(sign + text)
    }
}
