/// Unicode normalisation form C, as the reference tokenizer library does it.
///
/// Source: Unicode Standard Annex 15. The tables are that library's edition of Unicode, which is
/// older than the Swift standard library's: a character that it does not know is left as it is.
struct CanonicalComposition {
    /// Built once, from ``UnicodeTables``.
    static let shared = CanonicalComposition()

    private let decompositions: [UInt32: (first: UInt32, second: UInt32)]
    private let compositions: [UInt64: UInt32]
    private let combiningClasses: [UInt32: UInt8]

    private init() {
        var decompositions: [UInt32: (first: UInt32, second: UInt32)] = [:]
        var compositions: [UInt64: UInt32] = [:]
        var combiningClasses: [UInt32: UInt8] = [:]
        Self.forEachTriple(UnicodeTables.compositions) { first, second, composed in
            decompositions[composed] = (first, second)
            compositions[UInt64(first) << 32 | UInt64(second)] = composed
        }
        Self.forEachTriple(UnicodeTables.otherDecompositions) { scalar, first, second in
            decompositions[scalar] = (first, second)
        }
        Self.forEachTriple(UnicodeTables.combiningClasses) { first, last, combiningClass in
            for scalar in first...last { combiningClasses[scalar] = UInt8(combiningClass) }
        }
        self.decompositions = decompositions
        self.compositions = compositions
        self.combiningClasses = combiningClasses
    }

    /// Ranges of the scalars with combining class 0 that may change or join what stands before.
    static var composingRanges: [UInt32] {
        var ranges: [UInt32] = [
            Hangul.vowels.lowerBound, Hangul.vowels.upperBound - 1,
            Hangul.finals.lowerBound, Hangul.finals.upperBound - 1,
        ]
        forEachTriple(UnicodeTables.compositions) { _, second, _ in ranges += [second, second] }
        forEachTriple(UnicodeTables.otherDecompositions) { scalar, _, _ in
            ranges += [scalar, scalar]
        }
        return ranges
    }

    /// The normalised form of a stretch of well-formed UTF-8, or nil if it is normalised already.
    func normalized(_ bytes: [UInt8], in range: Range<Int>) -> [UInt8]? {
        let classes = ScalarClasses.shared
        let text = bytes.span
        var output: [UInt8]?
        var copied = range.lowerBound
        var starter = range.lowerBound
        var position = range.lowerBound
        while position < range.upperBound {
            // Every scalar below U+0300 stands for itself; 0xCC begins U+0300.
            if text[position] < 0xCC {
                if text[position] & 0xC0 != 0x80 { starter = position }
                position += 1
                continue
            }
            let (scalar, length) = UTF8Bytes.scalar(in: text, at: position)
            guard classes[scalar].contains(.composing) else {
                starter = position
                position += length
                continue
            }
            var end = position
            while end < range.upperBound {
                let (scalarClass, length) = classes.scalarClass(in: text, at: end)
                guard scalarClass.contains(.composing) else { break }
                end += length
            }
            var result = output ?? []
            output = nil
            if result.isEmpty { result.reserveCapacity(range.count) }
            result += bytes[copied..<starter]
            compose(text, in: starter..<end, into: &result)
            output = result
            copied = end
            starter = end
            position = end
        }
        output?.append(contentsOf: bytes[copied..<range.upperBound])
        return output
    }

    private func compose(_ text: Span<UInt8>, in range: Range<Int>, into output: inout [UInt8]) {
        var scalars: [UInt32] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let (scalar, length) = UTF8Bytes.scalar(in: text, at: position)
            decompose(scalar, into: &scalars)
            position += length
        }
        let classes = reorder(&scalars)

        var composed: [UInt32] = []
        var starter: Int?
        var lastClass: UInt8 = 0
        for (scalar, combiningClass) in zip(scalars, classes) {
            let isBlocked = lastClass != 0 && lastClass >= combiningClass
            if let starter, !isBlocked, let joined = composition(composed[starter], scalar) {
                composed[starter] = joined
                continue
            }
            if combiningClass == 0 { starter = composed.count }
            lastClass = combiningClass
            composed.append(scalar)
        }
        for scalar in composed { UTF8Bytes.append(scalar, to: &output) }
    }

    private func decompose(_ scalar: UInt32, into scalars: inout [UInt32]) {
        if let parts = Hangul.decomposition(of: scalar) {
            scalars += parts
        } else if let parts = decompositions[scalar] {
            decompose(parts.first, into: &scalars)
            if parts.second != 0 { decompose(parts.second, into: &scalars) }
        } else {
            scalars.append(scalar)
        }
    }

    /// Puts each run of marks in the order of their classes; returns the classes.
    private func reorder(_ scalars: inout [UInt32]) -> [UInt8] {
        // Class, then place: sorting these keys keeps marks of one class in order.
        var keys = scalars.enumerated().map { index, scalar in
            UInt64(combiningClasses[scalar] ?? 0) << 32 | UInt64(index)
        }
        var start = 0
        while start < keys.count {
            var end = start
            while end < keys.count && keys[end] >> 32 != 0 { end += 1 }
            if end - start > 1 { keys[start..<end].sort() }
            start = end + 1
        }
        let original = scalars
        for (index, key) in keys.enumerated() { scalars[index] = original[Int(key & 0xFFFF_FFFF)] }
        return keys.map { UInt8($0 >> 32) }
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        Hangul.composition(first, second) ?? compositions[UInt64(first) << 32 | UInt64(second)]
    }

    private static func forEachTriple(
        _ numbers: [UInt32], _ body: (UInt32, UInt32, UInt32) -> Void
    ) {
        for start in stride(from: 0, to: numbers.count, by: 3) {
            body(numbers[start], numbers[start + 1], numbers[start + 2])
        }
    }
}

/// The syllables that compose by arithmetic.
///
/// Source: The Unicode Standard, section 3.12.
private enum Hangul {
    static let initials: Range<UInt32> = 0x1100..<0x1113
    static let vowels: Range<UInt32> = 0x1161..<0x1176
    static let finals: Range<UInt32> = 0x11A8..<0x11C3
    static let syllables: Range<UInt32> = 0xAC00..<0xD7A4

    static func decomposition(of scalar: UInt32) -> [UInt32]? {
        guard syllables.contains(scalar) else { return nil }
        let index = scalar - syllables.lowerBound
        let initial = initials.lowerBound + index / 588
        let vowel = vowels.lowerBound + index % 588 / 28
        let final = index % 28
        return final == 0
            ? [initial, vowel] : [initial, vowel, finals.lowerBound - 1 + final]
    }

    static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if initials.contains(first), vowels.contains(second) {
            let index = (first - initials.lowerBound) * 21 + (second - vowels.lowerBound)
            return syllables.lowerBound + index * 28
        }
        if syllables.contains(first), (first - syllables.lowerBound) % 28 == 0,
            finals.contains(second)
        {
            return first + (second - finals.lowerBound + 1)
        }
        return nil
    }
}
