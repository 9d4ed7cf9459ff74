/// A regular expression as parsed.
indirect enum PatternNode: Sendable {
    case character(CharacterSet)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    case group(PatternNode, number: Int)
    case repetition(PatternNode, least: Int, most: Int?, isGreedy: Bool)
    case reference(Int)
    case lookahead(PatternNode, isNegated: Bool)
    case lineStart, lineEnd, textStart, textEnd, textEndOrLastNewline
    case wordBoundary(isNegated: Bool)

    /// A set of characters.
    struct CharacterSet: Sendable {
        var parts: [Part]
        var isNegated = false
        /// Whether upper and lower case are the same.
        var ignoresCase = false

        enum Part: Sendable {
            case range(ClosedRange<UInt32>)
            case digit(isNegated: Bool)
            case space(isNegated: Bool)
            case word(isNegated: Bool)
        }

        func contains(_ scalar: Unicode.Scalar) -> Bool {
            if holds(scalar) { return !isNegated }
            guard ignoresCase else { return isNegated }
            let properties = scalar.properties
            let variants = [properties.lowercaseMapping, properties.uppercaseMapping]
            let isFound = variants.contains { variant in
                let scalars = variant.unicodeScalars
                return scalars.count == 1 && scalars.first.map(holds) ?? false
            }
            return isFound != isNegated
        }

        private func holds(_ scalar: Unicode.Scalar) -> Bool {
            parts.contains { part in
                switch part {
                case .range(let range): range.contains(scalar.value)
                case .digit(let isNegated): scalar.isPythonDecimal != isNegated
                case .space(let isNegated): scalar.isPythonSpace != isNegated
                case .word(let isNegated): scalar.isPythonWord != isNegated
                }
            }
        }
    }
}
