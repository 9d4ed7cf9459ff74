/// Text as Python sees it: a sequence of Unicode scalars, compared scalar by scalar.
///
/// Swift compares and counts grapheme clusters, which would change lengths, slices and look-ups.
extension String {
    /// Python's `len`.
    package var scalarCount: Int { unicodeScalars.count }

    /// Whether both hold the same scalars.
    package func hasSameScalars(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Python's `text[lower:upper]` for bounds that are not negative; bounds beyond the end are cut.
    package func slice(_ lower: Int, _ upper: Int = .max) -> String {
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
    package var stripped: String { trimmed(both: true) }

    /// Python's `len(re.split(r"\s+", text))`: white space at either end makes an empty piece.
    package var whiteSpacePieces: Int {
        var pieces = 1
        var wasSpace = false
        for scalar in unicodeScalars {
            if scalar.isPythonSpace && !wasSpace { pieces += 1 }
            wasSpace = scalar.isPythonSpace
        }
        return pieces
    }

    /// Whether all scalars are the digits 0 to 9, and there is one.
    package var isDigits: Bool { !isEmpty && utf8.allSatisfy { 0x30...0x39 ~= $0 } }

    /// Whether the first scalar is white space.
    package var startsWithSpace: Bool { unicodeScalars.first?.isPythonSpace ?? false }

    /// Whether the last scalar is white space.
    package var endsWithSpace: Bool { unicodeScalars.last?.isPythonSpace ?? false }

    /// Python's `repr` of a string.
    package var pythonRepresentation: String {
        let quote: Unicode.Scalar =
            unicodeScalars.contains("'") && !unicodeScalars.contains("\"") ? "\"" : "'"
        var view = String.UnicodeScalarView()
        view.append(quote)
        for scalar in unicodeScalars {
            switch scalar {
            case "\\", quote: view.append(contentsOf: ["\\", scalar])
            case "\n": view.append(contentsOf: ["\\", "n"])
            case "\r": view.append(contentsOf: ["\\", "r"])
            case "\t": view.append(contentsOf: ["\\", "t"])
            case _ where scalar.isPythonPrintable: view.append(scalar)
            case _ where scalar.value < 0x100:
                view.append(contentsOf: "\\x\(scalar.hexadecimal(2))".unicodeScalars)
            case _ where scalar.value < 0x10000:
                view.append(contentsOf: "\\u\(scalar.hexadecimal(4))".unicodeScalars)
            default: view.append(contentsOf: "\\U\(scalar.hexadecimal(8))".unicodeScalars)
            }
        }
        view.append(quote)
        return String(view)
    }

    /// The string without whitespace, or without any of the characters given, at its ends.
    package func trimmed(
        leading: Bool = false, trailing: Bool = false, both: Bool = false,
        of characters: String? = nil
    ) -> String {
        let set = characters.map { Set($0.unicodeScalars) }
        func isStripped(_ scalar: Unicode.Scalar) -> Bool {
            set?.contains(scalar) ?? scalar.isPythonSpace
        }
        var rest = unicodeScalars[...]
        if leading || both { rest = rest.drop(while: isStripped) }
        if trailing || both {
            while let last = rest.last, isStripped(last) { rest.removeLast() }
        }
        return String(rest)
    }

    /// Python's `str.upper`, by the full mappings of Unicode.
    package var pythonUppercase: String { mapped { $0.uppercaseMapping } }

    /// Python's `str.lower`, a sigma at the end of a word becoming its final form.
    package var pythonLowercase: String {
        guard unicodeScalars.contains("\u{3A3}") else { return mapped { $0.lowercaseMapping } }
        let scalars = Array(unicodeScalars)
        return String(scalars: scalars.indices.flatMap { Self.lowercase(scalars, at: $0) })
    }

    /// Python's `str.capitalize`: the first character in title case, the rest in lower case.
    package var pythonCapitalized: String {
        let scalars = Array(unicodeScalars)
        return String(
            scalars: scalars.indices.flatMap { index in
                index == 0
                    ? Array(scalars[0].properties.titlecaseMapping.unicodeScalars)
                    : Self.lowercase(scalars, at: index)
            })
    }

    /// Python's `str.title`: each run of cased letters capitalised.
    package var pythonTitle: String {
        let scalars = Array(unicodeScalars)
        var isAfterCased = false
        return String(
            scalars: scalars.indices.flatMap { index in
                defer { isAfterCased = scalars[index].properties.isCased }
                return isAfterCased
                    ? Self.lowercase(scalars, at: index)
                    : Array(scalars[index].properties.titlecaseMapping.unicodeScalars)
            })
    }

    /// Python's `str.swapcase`.
    package var pythonSwappedCase: String {
        let scalars = Array(unicodeScalars)
        return String(
            scalars: scalars.indices.flatMap { index in
                let properties = scalars[index].properties
                if properties.isUppercase { return Self.lowercase(scalars, at: index) }
                return properties.isLowercase
                    ? Array(properties.uppercaseMapping.unicodeScalars) : [scalars[index]]
            })
    }

    private func mapped(_ mapping: (Unicode.Scalar.Properties) -> String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.isASCII, !scalar.properties.isAlphabetic {
                result.append(scalar)
            } else {
                result.append(contentsOf: mapping(scalar.properties).unicodeScalars)
            }
        }
        return String(result)
    }

    private static func lowercase(
        _ scalars: [Unicode.Scalar], at index: Int
    ) -> [Unicode.Scalar] {
        guard scalars[index] == "\u{3A3}" else {
            return Array(scalars[index].properties.lowercaseMapping.unicodeScalars)
        }
        // Final: a cased letter before and none after, with characters that case ignores skipped.
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        let isFinal = before?.properties.isCased == true && after?.properties.isCased != true
        return [isFinal ? "\u{3C2}" : "\u{3C3}"]
    }

    /// Python's `str.splitlines`.
    package func pythonLines(keepingEnds: Bool = false) -> [String] {
        let scalars = Array(unicodeScalars)
        var lines: [String] = []
        var begin = 0
        var index = 0
        while index < scalars.count {
            guard scalars[index].isPythonLineBreak else {
                index += 1
                continue
            }
            let isPair =
                scalars[index] == "\r" && index + 1 < scalars.count && scalars[index + 1] == "\n"
            let end = index + (isPair ? 2 : 1)
            lines.append(String(scalars: scalars[begin..<(keepingEnds ? end : index)]))
            begin = end
            index = end
        }
        if begin < scalars.count { lines.append(String(scalars: scalars[begin...])) }
        return lines
    }
}
