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
