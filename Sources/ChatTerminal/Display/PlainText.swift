import Chat
import CommandSupport
import Python

/// Text that cannot steer a terminal.
enum PlainText {
    /// A text with visible signs in place of control characters, line ends and tabs excepted.
    ///
    /// A model may say anything, a sequence that clears the screen or renames the window too.
    static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(isControl(scalar) ? sign(scalar) : scalar)
        }
        return String(result)
    }

    /// A text on one line, as a programmer would write it: `\n` for a line end.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where isControl(scalar): result.unicodeScalars.append(sign(scalar))
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        case ..<0x20, 0x7F..<0xA0: true
        // Marks that turn the direction of what follows them.
        case 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    private static func sign(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case ..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}"
        case 0x7F: "\u{2421}"
        default: "\u{FFFD}"
        }
    }
}

extension PlainText {
    /// A text on one line, cut after 60 characters, for messages.
    static func short(_ text: String) -> String {
        let start = text.prefix(60)
        return escaped(String(start)) + (start.endIndex < text.endIndex ? "…" : "")
    }
}

/// Two texts side by side, each wrapped in its own half.
enum Columns {
    /// The least width of a terminal on which two columns are readable.
    static let leastWidth = 60
    private static let gap = " │ "

    /// The lines of two texts under their titles.
    ///
    /// - Parameters:
    ///   - left: Title and text on the left.
    ///   - right: Title and text on the right.
    ///   - width: The columns of a line.
    /// - Returns: The lines, without spaces at their ends.
    static func lines(
        _ left: (title: String, text: String), _ right: (title: String, text: String), width: Int
    ) -> [String] {
        let half = max((width - gap.count) / 2, 1)
        let texts = [left, right].map { column(title: $0.title, text: $0.text, width: half) }
        return (0..<max(texts[0].count, texts[1].count)).map { row in
            let (start, end) = (cell(texts[0], row), cell(texts[1], row))
            return trimmed(padded(start, to: half) + (row == 1 ? "─┼─" : gap) + end)
        }
    }

    private static func column(title: String, text: String, width: Int) -> [String] {
        let title = WordWrap.lines(of: title, width: width).first ?? ""
        return [title, String(repeating: "─", count: width)]
            + WordWrap.lines(of: text, width: width)
    }

    private static func cell(_ lines: [String], _ row: Int) -> String {
        row < lines.count ? lines[row] : ""
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - DisplayWidth.of(text)))
    }

    private static func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }
}

/// Figures as people read them.
enum Figures {
    /// The figures of an answer on one line.
    static func line(of reply: Reply) -> String {
        "\(reading(reply)), \(grouped(reply.tokens.count)) drawn in "
            + "\(seconds(reply.decodeDuration)) (\(rate(reply.decodeTokensPerSecond))), "
            + reason(reply)
    }

    private static func reading(_ reply: Reply) -> String {
        let prompt = count(reply.promptTokens, "token")
        guard reply.readTokens > 0 else { return "\(prompt) known" }
        let isWhole = reply.readTokens == reply.promptTokens
        return (isWhole ? prompt : "\(grouped(reply.readTokens)) of \(prompt)")
            + " read in \(seconds(reply.prefillDuration)) "
            + "(\(rate(reply.prefillTokensPerSecond)))"
    }

    private static func reason(_ reply: Reply) -> String {
        switch reply.stopReason {
        case .end: "end token"
        case .stop: "stop string"
        case .length: "cut off"
        case .stopped: "stopped"
        }
    }

    /// A duration in seconds, or in milliseconds if it is less than one.
    static func seconds(_ duration: Duration) -> String {
        duration < .seconds(1)
            ? "\(Int(duration / .milliseconds(1))) ms"
            : "\(PythonFloat.fixed(duration / .seconds(1), places: 2)) s"
    }

    /// A speed in tokens a second.
    static func rate(_ tokensPerSecond: Double) -> String {
        "\(PythonFloat.fixed(tokensPerSecond, places: 1))/s"
    }

    /// A number and its noun, in the plural unless it is one.
    static func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
        "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    /// A number with a comma between thousands.
    static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var result = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return (number < 0 ? "-" : "") + result
    }

    /// A size in bytes.
    static func size(_ bytes: Int) -> String {
        switch Double(bytes) {
        case ..<1e3: "\(bytes) B"
        case ..<1e6: "\(PythonFloat.fixed(Double(bytes) / 1e3, places: 1)) kB"
        default: "\(PythonFloat.fixed(Double(bytes) / 1e6, places: 1)) MB"
        }
    }
}
