import Python

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
