extension Unicode.Scalar {
    /// Whether Python's `str.isspace` holds for the character.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
            0x205F, 0x3000:
            true
        default: false
        }
    }

    /// Whether `str.splitlines` ends a line here.
    var isPythonLineBreak: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    /// Whether the character is one of `0` to `9`.
    var isDigit: Bool { ("0"..."9").contains(self) }

    /// The value of `0` to `9`, `a` to `z` and `A` to `Z` as a digit.
    var asciiDigitValue: Int? {
        switch self {
        case "0"..."9": Int(value) - 0x30
        case "a"..."z": Int(value) - 0x61 + 10
        case "A"..."Z": Int(value) - 0x41 + 10
        default: nil
        }
    }

    /// Whether `str.isalpha` holds.
    var isPythonAlpha: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            true
        default: false
        }
    }

    /// Whether `str.isdecimal` holds.
    var isPythonDecimal: Bool { properties.numericType == .decimal }

    /// Whether `str.isdigit` holds.
    var isPythonDigit: Bool {
        properties.numericType == .decimal || properties.numericType == .digit
    }

    /// Whether `str.isnumeric` holds.
    var isPythonNumeric: Bool { properties.numericType != nil }

    /// Whether `str.isalnum` holds.
    var isPythonAlphanumeric: Bool { isPythonAlpha || isPythonNumeric }

    /// Whether Python's `re` takes the character for `\w`.
    var isPythonWord: Bool { self == "_" || isPythonAlphanumeric }

    /// Whether `repr` shows the character as it is.
    var isPythonPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator:
            false
        case .spaceSeparator: self == " "
        default: true
        }
    }
}

extension String {
    /// Creates a string from scalars.
    init(scalars: some Sequence<Unicode.Scalar>) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }
}
