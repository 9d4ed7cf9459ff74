/// A token that is looked for in the text before anything else is done to it.
struct AddedToken: Equatable {
    /// The most of a tokenizer; the largest in use have some 6,000.
    static let limit = 100_000

    /// Its text as the file gives it.
    let content: [UInt8]
    var id: Int32
    /// Whether it stands for no text of its own.
    var isSpecial: Bool
    /// Whether it is looked for in the normalised text, itself normalised.
    let isNormalized: Bool
    /// Whether it takes white space on its left with it.
    let stripsLeft: Bool
    /// Whether it takes white space on its right with it.
    let stripsRight: Bool
    /// Whether it only counts between scalars that are not `\w`.
    let isSingleWord: Bool
}
