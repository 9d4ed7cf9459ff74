extension Unicode.Scalar {
    /// The characters for which Python's `str.isspace` holds.
    package static let pythonSpaces: [ClosedRange<UInt32>] = [
        0x09...0x0D, 0x1C...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A,
        0x2028...0x2029, 0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000,
    ]

    /// Whether Python's `str.isspace` holds for the character.
    package var isPythonSpace: Bool {
        value < 0x80
            ? 0x09...0x0D ~= value || 0x1C...0x20 ~= value
            : Self.pythonSpaces.contains { $0 ~= value }
    }

    /// Whether `str.splitlines` ends a line here.
    package var isPythonLineBreak: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    /// Whether the character is one of `0` to `9`.
    package var isDigit: Bool { ("0"..."9").contains(self) }

    /// The value of `0` to `9`, `a` to `z` and `A` to `Z` as a digit.
    package var asciiDigitValue: Int? {
        switch self {
        case "0"..."9": Int(value) - 0x30
        case "a"..."z": Int(value) - 0x61 + 10
        case "A"..."Z": Int(value) - 0x41 + 10
        default: nil
        }
    }

    /// Whether `str.isalpha` holds.
    package var isPythonAlpha: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            true
        default: false
        }
    }

    /// Whether `str.isdecimal` holds.
    package var isPythonDecimal: Bool { properties.numericType == .decimal }

    /// Whether `str.isdigit` holds.
    package var isPythonDigit: Bool {
        properties.numericType == .decimal || properties.numericType == .digit
    }

    /// Whether `str.isnumeric` holds.
    package var isPythonNumeric: Bool { properties.numericType != nil }

    /// Whether `str.isalnum` holds.
    package var isPythonAlphanumeric: Bool { isPythonAlpha || isPythonNumeric }

    /// Whether Python's `re` takes the character for `\w`.
    package var isPythonWord: Bool { self == "_" || isPythonAlphanumeric }

    /// Whether `repr` shows the character as it is.
    package var isPythonPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator:
            false
        case .spaceSeparator: self == " "
        default: true
        }
    }
}

extension Unicode.Scalar {
    /// The code point in lower-case hexadecimal digits, with zeros up to `width`.
    package func hexadecimal(_ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension String {
    /// Creates a string from scalars.
    package init(scalars: some Sequence<Unicode.Scalar>) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }
}
