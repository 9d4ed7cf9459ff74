import Python

extension Lexer {
    /// Reads one token inside a tag; `open` holds the brackets still to be closed.
    mutating func readToken(_ open: inout [Unicode.Scalar]) throws {
        let first = source[position]
        if first == "'" || first == "\"" {
            try readString(quote: first)
        } else if first.isDigit {
            try readNumber()
        } else if first == "_" || first.properties.isXIDStart {
            var end = position + 1
            while end < source.count, source[end].properties.isXIDContinue { end += 1 }
            add(.name(String(scalars: source[position..<end])))
            advance(to: end)
        } else {
            try readSymbol(&open)
        }
    }

    private mutating func readSymbol(_ open: inout [Unicode.Scalar]) throws {
        let two = String(scalars: source[position..<min(position + 2, source.count)])
        let one = String(source[position])
        if Self.doubleSymbols.contains(two) {
            add(.symbol(two))
            advance(to: position + 2)
            return
        }
        guard Self.singleSymbols.contains(one) else {
            throw failure(.unexpected(found: "'\(one)'", expected: "an expression"))
        }
        switch source[position] {
        case "(": open.append(")")
        case "[": open.append("]")
        case "{": open.append("}")
        case ")", "]", "}":
            guard open.popLast() == source[position] else {
                throw failure(.unexpected(found: "'\(one)'", expected: "balanced brackets"))
            }
        default: break
        }
        add(.symbol(one))
        advance(to: position + 1)
    }

    private static let doubleSymbols: Set<String> = ["//", "**", "==", "!=", ">=", "<="]
    private static let singleSymbols: Set<String> = [
        "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|",
        ",", ";",
    ]

    /// Reads an integer or float as Python spells them; `_` may separate digits.
    private mutating func readNumber() throws {
        let isAfterDot = position > 0 && source[position - 1] == "."
        if !isAfterDot, let end = floatEnd() {
            let text = String(scalars: source[position..<end].filter { $0 != "_" })
            guard let value = Double(text) else {
                throw failure(.unexpected(found: "'\(text)'", expected: "a number"))
            }
            add(.float(value))
            advance(to: end)
            return
        }
        var radix = 10
        var begin = position
        var end = position
        if source[position] == "0", let mark = scalar(at: position + 1) {
            switch mark {
            case "x", "X": radix = 16
            case "o", "O": radix = 8
            case "b", "B": radix = 2
            default: break
            }
        }
        if radix != 10 {
            begin = position + 2
            if scalar(at: begin) == "_" { begin += 1 }
            end = digitsEnd(from: begin, radix: radix)
            if end == begin { radix = 10 }
        }
        if radix == 10 {
            begin = position
            end = digitsEnd(from: begin, radix: 10)
            // A zero is never followed by other digits: `012` is two tokens, and so an error.
            if source[begin] == "0" {
                end = begin + 1
                while scalar(at: end) == "0" { end += 1 }
            }
        }
        let digits = String(scalars: source[begin..<end].filter { $0 != "_" })
        guard let value = Int(digits, radix: radix) else {
            throw failure(.unsupported("the integer \(digits), which is outside of 64 bits,"))
        }
        add(.integer(value))
        advance(to: end)
    }

    /// Where digits with single `_` between them end.
    private func digitsEnd(from begin: Int, radix: Int) -> Int {
        func isDigit(_ index: Int) -> Bool {
            guard let value = scalar(at: index)?.asciiDigitValue else { return false }
            return value < radix
        }
        var end = begin
        while isDigit(end) || (end > begin && scalar(at: end) == "_" && isDigit(end + 1)) {
            end += 1
        }
        return end
    }

    /// Where the float at the present position ends; nil if it is an integer.
    private func floatEnd() -> Int? {
        let whole = digitsEnd(from: position, radix: 10)
        var end = whole
        if scalar(at: end) == ".", digitsEnd(from: end + 1, radix: 10) > end + 1 {
            end = digitsEnd(from: end + 1, radix: 10)
        }
        if let mark = scalar(at: end), mark == "e" || mark == "E" {
            var digits = end + 1
            if let sign = scalar(at: digits), sign == "+" || sign == "-" { digits += 1 }
            let exponentEnd = digitsEnd(from: digits, radix: 10)
            if exponentEnd > digits { end = exponentEnd }
        }
        return end > whole ? end : nil
    }
}

extension Lexer {
    /// Reads a string literal with Python's escapes; an unknown escape stays as it stands.
    private mutating func readString(quote: Unicode.Scalar) throws {
        var index = position + 1
        var text = String.UnicodeScalarView()
        while let scalar = scalar(at: index), scalar != quote {
            guard scalar == "\\" else {
                text.append(scalar)
                index += 1
                continue
            }
            guard index + 1 < source.count else { break }
            try readEscape(&index, into: &text)
        }
        guard index < source.count else {
            throw failure(.unexpected(found: "the end of the template", expected: "'\(quote)'"))
        }
        add(.string(String(text)))
        advance(to: index + 1)
    }

    private func readEscape(_ index: inout Int, into text: inout String.UnicodeScalarView) throws {
        let mark = source[index + 1]
        index += 2
        switch mark {
        case "\n": break
        case "\\", "'", "\"": text.append(mark)
        case "a": text.append("\u{07}")
        case "b": text.append("\u{08}")
        case "f": text.append("\u{0C}")
        case "n": text.append("\n")
        case "r": text.append("\r")
        case "t": text.append("\t")
        case "v": text.append("\u{0B}")
        case "x": text.append(try readCode(&index, digits: 2))
        case "u": text.append(try readCode(&index, digits: 4))
        case "U": text.append(try readCode(&index, digits: 8))
        case "N": throw failure(.unsupported("the escape '\\N'"))
        case "0"..."7":
            var code = mark.asciiDigitValue ?? 0
            var digits = 1
            while digits < 3, let value = scalar(at: index)?.asciiDigitValue, value < 8 {
                code = code * 8 + value
                index += 1
                digits += 1
            }
            Unicode.Scalar(UInt32(code)).map { text.append($0) }
        case _ where !mark.isASCII:
            // Jinja spells the letter as an ASCII escape first, and the backslash takes that one's.
            let digits = String(mark.value, radix: 16)
            let width = mark.value < 0x100 ? 2 : mark.value < 0x10000 ? 4 : 8
            let letter = width == 2 ? "x" : width == 4 ? "u" : "U"
            let zeros = String(repeating: "0", count: width - digits.count)
            text.append(contentsOf: ("\\" + letter + zeros + digits).unicodeScalars)
        default:
            text.append("\\")
            text.append(mark)
        }
    }

    private func readCode(_ index: inout Int, digits: Int) throws -> Unicode.Scalar {
        var code: UInt32 = 0
        for place in 0..<digits {
            guard let value = scalar(at: index + place)?.asciiDigitValue, value < 16 else {
                throw failure(
                    .unexpected(found: "an escape cut short", expected: "\(digits) digits"))
            }
            code = code << 4 | UInt32(value)
        }
        index += digits
        guard let scalar = Unicode.Scalar(code) else {
            throw failure(.unsupported("the escape of a code point that is no character"))
        }
        return scalar
    }
}
