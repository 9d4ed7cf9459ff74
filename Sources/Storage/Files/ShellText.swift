/// Words as a shell reads them.
package enum ShellText {
    /// A command line: words that a shell would take apart, or take for something else, in quotes.
    package static func line(_ words: [String]) -> String {
        words.map(quoted).joined(separator: " ")
    }

    /// One word; with control characters in the form `$'…'`, which bash, zsh and ksh know.
    package static func quoted(_ word: String) -> String {
        let plain = word.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                || "_./=:,+@%-".unicodeScalars.contains(scalar)
        }
        if plain, !word.isEmpty { return word }
        guard word.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return "'" + word.replacing("'", with: #"'\''"#) + "'" }
        var text = "$'"
        for byte in word.utf8 {
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\\"):
                text += "\\" + String(UnicodeScalar(byte))
            case UInt8(ascii: "\n"): text += "\\n"
            case 0x20..<0x7F: text.unicodeScalars.append(UnicodeScalar(byte))
            default: text += "\\" + octal(byte)
            }
        }
        return text + "'"
    }

    private static func octal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 8)
        return String(repeating: "0", count: 3 - digits.count) + digits
    }
}
