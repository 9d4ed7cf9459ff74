import Jinja

/// Text as Python sees it: a sequence of Unicode scalars, compared scalar by scalar.
///
/// Swift compares and counts grapheme clusters, which would change lengths, slices and look-ups.
extension String {
    /// Python's `len`.
    var scalarCount: Int { unicodeScalars.count }

    /// Whether both hold the same scalars.
    func hasSameScalars(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Python's `text[lower:upper]` for bounds that are not negative; bounds beyond the end are cut.
    func slice(_ lower: Int, _ upper: Int = .max) -> String {
        let scalars = unicodeScalars
        let start =
            scalars.index(scalars.startIndex, offsetBy: lower, limitedBy: scalars.endIndex)
            ?? scalars.endIndex
        let end =
            scalars.index(start, offsetBy: max(0, upper - lower), limitedBy: scalars.endIndex)
            ?? scalars.endIndex
        return String(scalars[start..<end])
    }

    /// Python's `text.strip()`.
    var stripped: String {
        let scalars = unicodeScalars.drop(while: \.isPythonSpace)
        guard let last = scalars.lastIndex(where: { !$0.isPythonSpace }) else { return "" }
        return String(scalars[...last])
    }

    /// Python's `text.split()`: the pieces between runs of white space, none of them empty.
    var words: [String] {
        unicodeScalars.split(whereSeparator: \.isPythonSpace).map { String($0) }
    }

    /// Python's `len(re.split(r"\s+", text))`: white space at either end makes an empty piece.
    var whiteSpacePieces: Int {
        var pieces = 1
        var wasSpace = false
        for scalar in unicodeScalars {
            if scalar.isPythonSpace && !wasSpace { pieces += 1 }
            wasSpace = scalar.isPythonSpace
        }
        return pieces
    }

    /// Python's `text.replace(old, new)`, from left to right, for an `old` that is not empty.
    func replacing(_ old: String, by new: String) -> String {
        let (text, old) = (Array(utf8), Array(old.utf8))
        var result: [UInt8] = []
        var start = 0
        while start < text.count {
            if text[start] == old[0], text[start...].starts(with: old) {
                result.append(contentsOf: new.utf8)
                start += old.count
            } else {
                result.append(text[start])
                start += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether all scalars are the digits 0 to 9, and there is one.
    var isDigits: Bool { !isEmpty && utf8.allSatisfy { 0x30...0x39 ~= $0 } }

    /// Whether this is a name as a field of a record may have: letters, digits and underscores.
    var isIdentifier: Bool {
        utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        } && !isEmpty && !isDigits
    }

    /// Whether the first scalar is white space.
    var startsWithSpace: Bool { unicodeScalars.first?.isPythonSpace ?? false }

    /// Whether the last scalar is white space.
    var endsWithSpace: Bool { unicodeScalars.last?.isPythonSpace ?? false }

    /// The result of a method of Python's strings without arguments, such as `capitalize`.
    func calling(_ method: PythonMethod) throws -> String {
        guard case .string(let result) = try method.expression.evaluate(["text": .string(self)])
        else { return self }
        return result
    }
}

/// A method of Python's strings, run by the templates' interpreter, which has them all.
struct PythonMethod: Sendable {
    let expression: Expression

    init(_ name: String) throws { expression = try Expression("text.\(name)()", name: name) }
}

extension Unicode.Scalar {
    /// Whether Python's `str.isspace` holds.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029,
            0x202F, 0x205F, 0x3000:
            true
        default: false
        }
    }
}
