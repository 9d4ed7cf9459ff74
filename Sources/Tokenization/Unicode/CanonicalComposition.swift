/// Unicode normalisation form C, as the reference tokenizer library does it.
///
/// Source: Unicode Standard Annex 15. The tables are that library's edition of Unicode, which is
/// older than the Swift standard library's: a character that it does not know is left as it is. That is
/// why the tables are ours.
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

/// Reading UTF-8 that is known to be well formed, and judging bytes that may not be.
enum UTF8Bytes {
    /// The scalar at a position, and its length in bytes.
    ///
    /// - Parameters:
    ///   - bytes: Well-formed UTF-8.
    ///   - position: Where a scalar begins.
    /// - Returns: Its value and its length.
    @inline(__always)
    static func scalar(in bytes: Span<UInt8>, at position: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(bytes[position])
        if first < 0x80 { return (first, 1) }
        let second = UInt32(bytes[position + 1]) & 0x3F
        if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
        let third = UInt32(bytes[position + 2]) & 0x3F
        if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
        let fourth = UInt32(bytes[position + 3]) & 0x3F
        return ((first & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
    }

    /// Where the scalar before a position begins.
    static func start(before position: Int, in bytes: Span<UInt8>) -> Int {
        var start = position - 1
        while start > 0 && bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    /// Appends the bytes of a scalar.
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        switch scalar {
        case 0..<0x80:
            bytes.append(UInt8(scalar))
        case 0x80..<0x800:
            bytes.append(UInt8(0xC0 | scalar >> 6))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        case 0x800..<0x10000:
            bytes.append(UInt8(0xE0 | scalar >> 12))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        default:
            bytes.append(UInt8(0xF0 | scalar >> 18 & 0x07))
            bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    /// The bytes, or a copy in which what is not UTF-8 is U+FFFD.
    static func repaired(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(where: { $0 >= 0x80 }), String(validating: bytes, as: UTF8.self) == nil
        else { return bytes }
        return Array(String(decoding: bytes, as: UTF8.self).utf8)
    }

    /// How many bytes at the end begin a character that later bytes may complete; 0 to 3.
    static func incompleteSuffix(of bytes: some BidirectionalCollection<UInt8>) -> Int {
        var continuations: [UInt8] = []
        for byte in bytes.reversed().prefix(3) {
            if byte & 0xC0 == 0x80 {
                continuations.append(byte)
                continue
            }
            let length: Int
            switch byte {
            case 0xC2...0xDF: length = 2
            case 0xE0...0xEF: length = 3
            case 0xF0...0xF4: length = 4
            default: return 0
            }
            guard continuations.count + 1 < length else { return 0 }
            if let second = continuations.last, !secondBytes(after: byte).contains(second) {
                return 0
            }
            return continuations.count + 1
        }
        return 0
    }

    /// What may follow the first byte of a character (no overlong form, surrogate or value beyond
    /// U+10FFFF).
    private static func secondBytes(after first: UInt8) -> ClosedRange<UInt8> {
        switch first {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
    }
}

/// What a scalar is to the pre-tokeniser, to added tokens and to the normaliser.
struct ScalarClass: OptionSet {
    let rawValue: UInt8

    /// `\p{L}`.
    static let letter = ScalarClass(rawValue: 1)
    /// `\p{N}`.
    static let number = ScalarClass(rawValue: 2)
    /// `\s`.
    static let space = ScalarClass(rawValue: 4)
    /// `\w`.
    static let word = ScalarClass(rawValue: 8)
    /// Not to be left as it is by composition without a look at its neighbours.
    static let composing = ScalarClass(rawValue: 16)

    /// The classes that split text; a scalar is in one at most.
    static let splitting: ScalarClass = [.letter, .number, .space]
}

/// The class of every scalar, in pages of 256 that equal ones share (about 60 KB).
struct ScalarClasses {
    /// Built once, from ``UnicodeTables``.
    static let shared = ScalarClasses()

    private let pageStarts: [Int32]
    private let pages: [ScalarClass]

    private init() {
        var classes = [ScalarClass](repeating: [], count: 0x110000)
        func mark(_ ranges: [UInt32], stride: Int = 2, as scalarClass: ScalarClass) {
            for start in Swift.stride(from: 0, to: ranges.count, by: stride) {
                for scalar in ranges[start]...ranges[start + 1] {
                    classes[Int(scalar)].insert(scalarClass)
                }
            }
        }
        mark(UnicodeTables.letters, as: .letter)
        mark(UnicodeTables.numbers, as: .number)
        mark(UnicodeTables.spaces, as: .space)
        mark(UnicodeTables.words, as: .word)
        mark(UnicodeTables.combiningClasses, stride: 3, as: .composing)
        mark(CanonicalComposition.composingRanges, as: .composing)

        var pageStarts: [Int32] = []
        var pages: [ScalarClass] = []
        var known: [[UInt8]: Int32] = [:]
        for page in 0..<(0x110000 / 256) {
            let content = classes[page * 256..<(page + 1) * 256]
            let key = content.map(\.rawValue)
            let start = known[key] ?? Int32(pages.count)
            if known.updateValue(start, forKey: key) == nil { pages += content }
            pageStarts.append(start)
        }
        self.pageStarts = pageStarts
        self.pages = pages
    }

    /// The class of an ASCII scalar; page 0 comes first.
    @inline(__always)
    subscript(ascii byte: UInt8) -> ScalarClass { pages[Int(byte)] }

    /// The class of a scalar.
    @inline(__always)
    subscript(scalar: UInt32) -> ScalarClass {
        pages[Int(pageStarts[Int(scalar >> 8)]) + Int(scalar & 0xFF)]
    }

    /// The class of the scalar at a position of well-formed UTF-8, and its length in bytes.
    @inline(__always)
    func scalarClass(
        in bytes: Span<UInt8>, at position: Int
    ) -> (scalarClass: ScalarClass, length: Int) {
        let byte = bytes[position]
        if byte < 0x80 { return (self[ascii: byte], 1) }
        let (scalar, length) = UTF8Bytes.scalar(in: bytes, at: position)
        return (self[scalar], length)
    }
}
