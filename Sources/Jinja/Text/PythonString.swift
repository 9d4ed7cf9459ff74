extension String {
    /// The string without whitespace, or without any of the characters given, at its ends.
    func trimmed(
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
    var pythonUppercase: String { mapped { $0.uppercaseMapping } }

    /// Python's `str.lower`, a sigma at the end of a word becoming its final form.
    var pythonLowercase: String {
        guard unicodeScalars.contains("\u{3A3}") else { return mapped { $0.lowercaseMapping } }
        let scalars = Array(unicodeScalars)
        return String(scalars: scalars.indices.flatMap { Self.lowercase(scalars, at: $0) })
    }

    /// Python's `str.capitalize`: the first character in title case, the rest in lower case.
    var pythonCapitalized: String {
        let scalars = Array(unicodeScalars)
        return String(
            scalars: scalars.indices.flatMap { index in
                index == 0
                    ? Array(scalars[0].properties.titlecaseMapping.unicodeScalars)
                    : Self.lowercase(scalars, at: index)
            })
    }

    /// Python's `str.title`: each run of cased letters capitalised.
    var pythonTitle: String {
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
    var pythonSwappedCase: String {
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
    func pythonLines(keepingEnds: Bool = false) -> [String] {
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
