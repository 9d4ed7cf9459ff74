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
