import Python

/// A piece of a template's source.
struct Token: Equatable {
    let kind: Kind
    /// Line of the source, from 1.
    let line: Int

    enum Kind: Equatable {
        case data(String)
        case variableBegin
        case variableEnd
        case blockBegin
        case blockEnd
        case name(String)
        case string(String)
        case integer(Int)
        case float(Double)
        case symbol(String)
        case end
    }
}

extension Token.Kind: CustomStringConvertible {
    /// The token as messages show it.
    var description: String {
        switch self {
        case .data: "text"
        case .variableBegin: "'{{'"
        case .variableEnd: "'}}'"
        case .blockBegin: "'{%'"
        case .blockEnd: "'%}'"
        case .name(let name): "'\(name)'"
        case .string: "a string"
        case .integer(let value): "\(value)"
        case .float(let value): "\(value)"
        case .symbol(let symbol): "'\(symbol)'"
        case .end: "the end of the template"
        }
    }
}

/// Cuts a template's source into tokens, applying whitespace control on the way.
///
/// Source: the rules of Jinja 3.1's lexer with the default delimiters; line statements are off there
/// and do not exist here.
struct Lexer {
    let source: [Unicode.Scalar]
    let template: String
    let options: TemplateOptions
    var position = 0
    var line = 1
    var tokens: [Token] = []
    /// Whether the last piece ended a line, so that blanks which follow stand at its start.
    private var isLineStart = true

    /// Prepares to read `source`; `\r\n` and `\r` count as `\n`.
    init(_ source: String, template: String, options: TemplateOptions) {
        var scalars: [Unicode.Scalar] = []
        var afterReturn = false
        for scalar in source.unicodeScalars {
            if scalar == "\r" {
                scalars.append("\n")
            } else if scalar != "\n" || !afterReturn {
                scalars.append(scalar)
            }
            afterReturn = scalar == "\r"
        }
        if !options.keepTrailingNewline, scalars.last == "\n" { scalars.removeLast() }
        self.source = scalars
        self.template = template
        self.options = options
    }

    /// All tokens of a template, `end` last.
    mutating func tokenize() throws -> [Token] {
        while position < source.count { try readData() }
        add(.end)
        return tokens
    }

    /// All tokens of a bare expression, `end` last.
    mutating func tokenizeExpression() throws -> [Token] {
        try readTag(end: nil)
        add(.end)
        return tokens
    }

    func failure(_ reason: Reason) -> TemplateError {
        TemplateError(template: template, line: line, reason: reason)
    }

    mutating func add(_ kind: Token.Kind) { tokens.append(Token(kind: kind, line: line)) }

    /// Moves on, counting the lines passed.
    mutating func advance(to end: Int) {
        for index in position..<end where source[index] == "\n" { line += 1 }
        position = end
    }

    func scalar(at index: Int) -> Unicode.Scalar? { index < source.count ? source[index] : nil }
}

extension Lexer {
    private func isPair(_ first: Unicode.Scalar, _ second: Unicode.Scalar, at index: Int) -> Bool {
        index + 1 < source.count && source[index] == first && source[index + 1] == second
    }

    private func skippingSpace(from index: Int) -> Int {
        var index = index
        while index < source.count, source[index].isPythonSpace { index += 1 }
        return index
    }

    /// Reads text up to the next tag, and that tag.
    private mutating func readData() throws {
        var begin = position
        while begin < source.count,
            !(source[begin] == "{"
                && (isPair("{", "{", at: begin) || isPair("{", "%", at: begin)
                    || isPair("{", "#", at: begin)))
        {
            begin += 1
        }
        guard begin < source.count else {
            addText(source[position..<begin])
            advance(to: begin)
            return
        }
        let kind = source[begin + 1]
        let sign = sign(at: begin + 2)
        addText(trimmed(position..<begin, sign: sign, isVariable: kind == "{"))
        advance(to: begin)
        if kind == "%", let end = rawBegin(at: begin) {
            advance(to: end)
            isLineStart = source[end - 1] == "\n"
            try readRaw()
            return
        }
        let afterBegin = begin + (sign == nil ? 2 : 3)
        switch kind {
        case "#":
            advance(to: afterBegin)
            isLineStart = false
            try readComment()
        case "%":
            add(.blockBegin)
            advance(to: afterBegin)
            try readTag(end: "%")
        default:
            add(.variableBegin)
            advance(to: afterBegin)
            try readTag(end: "}")
        }
    }

    private func sign(at index: Int) -> Unicode.Scalar? {
        guard let scalar = scalar(at: index), scalar == "-" || scalar == "+" else { return nil }
        return scalar
    }

    private mutating func addText(_ scalars: ArraySlice<Unicode.Scalar>) {
        guard !scalars.isEmpty else { return }
        add(.data(String(scalars: scalars)))
    }

    /// The text before a tag, without what the tag's sign or `lstripBlocks` takes away.
    private func trimmed(
        _ range: Range<Int>, sign: Unicode.Scalar?, isVariable: Bool
    ) -> ArraySlice<Unicode.Scalar> {
        let text = source[range]
        if sign == "-" {
            let end = text.lastIndex { !$0.isPythonSpace }.map { $0 + 1 } ?? range.lowerBound
            return source[range.lowerBound..<end]
        }
        guard sign == nil, options.lstripBlocks, !isVariable else { return text }
        let newline = text.lastIndex(of: "\n")
        let lineStart = newline.map { $0 + 1 } ?? range.lowerBound
        guard newline != nil || isLineStart, lineStart < range.upperBound,
            source[lineStart..<range.upperBound].allSatisfy(\.isPythonSpace)
        else { return text }
        return source[range.lowerBound..<lineStart]
    }

    /// Where a tag's end at `index` ends, whitespace that it takes included; nil if there is none.
    private func tagEnd(_ closing: Unicode.Scalar, at index: Int) -> Int? {
        if isPair(closing, "}", at: index) {
            let end = index + 2
            let trims = closing != "}" && options.trimBlocks && scalar(at: end) == "\n"
            return trims ? end + 1 : end
        }
        guard isPair(closing, "}", at: index + 1) else { return nil }
        if source[index] == "-" { return skippingSpace(from: index + 3) }
        return source[index] == "+" && closing != "}" ? index + 3 : nil
    }

    private mutating func readComment() throws {
        var index = position
        while index < source.count {
            if let end = tagEnd("#", at: index) {
                advance(to: end)
                isLineStart = source[end - 1] == "\n"
                return
            }
            index += 1
        }
        throw failure(.unexpected(found: "the end of the template", expected: "'#}'"))
    }

    /// Where `{% raw %}` at `index` ends; nil if it is another tag.
    private func rawBegin(at index: Int) -> Int? {
        guard let end = keyword("raw", in: index) else { return nil }
        if isPair("%", "}", at: end) { return end + 2 }
        guard scalar(at: end) == "-", isPair("%", "}", at: end + 1) else { return nil }
        return skippingSpace(from: end + 3)
    }

    /// Where the blanks after `{% word` end; nil if the tag at `index` begins otherwise.
    private func keyword(_ word: String, in index: Int) -> Int? {
        guard isPair("{", "%", at: index) else { return nil }
        var end = skippingSpace(from: index + (sign(at: index + 2) == nil ? 2 : 3))
        for scalar in word.unicodeScalars {
            guard self.scalar(at: end) == scalar else { return nil }
            end += 1
        }
        return skippingSpace(from: end)
    }

    private mutating func readRaw() throws {
        var index = position
        while index < source.count {
            if let mark = keyword("endraw", in: index), let end = tagEnd("%", at: mark) {
                addText(trimmed(position..<index, sign: sign(at: index + 2), isVariable: false))
                advance(to: end)
                isLineStart = source[end - 1] == "\n"
                return
            }
            index += 1
        }
        throw failure(.unexpected(found: "the end of the template", expected: "'endraw'"))
    }

    /// Reads the tokens of a tag up to its end, or to the end of the source for a bare expression.
    private mutating func readTag(end closing: Unicode.Scalar?) throws {
        var open: [Unicode.Scalar] = []
        while true {
            if let closing, open.isEmpty, let end = tagEnd(closing, at: position) {
                add(closing == "%" ? .blockEnd : .variableEnd)
                advance(to: end)
                isLineStart = source[end - 1] == "\n"
                return
            }
            guard position < source.count else {
                guard let closing else { return }
                throw failure(
                    .unexpected(found: "the end of the template", expected: "'\(closing)}'"))
            }
            if source[position].isPythonSpace {
                advance(to: skippingSpace(from: position))
            } else {
                try readToken(&open)
            }
        }
    }
}

extension Lexer {
    /// Reads one token inside a tag; `open` holds the brackets still to be closed.
    private mutating func readToken(_ open: inout [Unicode.Scalar]) throws {
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
