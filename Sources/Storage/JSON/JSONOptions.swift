/// What a JSON reader accepts.
public struct JSONOptions: Equatable, Sendable {
    /// Whether `NaN`, `Infinity` and `-Infinity` are numbers, as they are to Python.
    public var allowsNonFinite: Bool
    /// Whether a key that appears twice in an object is an error.
    ///
    /// Otherwise the last value counts, in the first place, as in Python.
    public var refusesDuplicateKeys: Bool
    /// How deep values may be nested; at most 512, since the reader is recursive.
    public var depthLimit: Int
    /// How many values a text may hold, each element and each member's value counting.
    public var valueLimit: Int

    /// Creates options; the defaults are RFC 8259.
    ///
    /// - Parameters:
    ///   - allowsNonFinite: Whether `NaN`, `Infinity` and `-Infinity` are numbers.
    ///   - refusesDuplicateKeys: Whether a key that appears twice in an object is an error.
    ///   - depthLimit: How deep values may be nested, in 1...512.
    ///   - valueLimit: How many values a text may hold; a few bytes of text make a value of a hundred.
    public init(
        allowsNonFinite: Bool = false, refusesDuplicateKeys: Bool = false, depthLimit: Int = 256,
        valueLimit: Int = 3_000_000
    ) {
        precondition(
            (1...512).contains(depthLimit), "depth limit is \(depthLimit), expected 1...512")
        self.allowsNonFinite = allowsNonFinite
        self.refusesDuplicateKeys = refusesDuplicateKeys
        self.depthLimit = depthLimit
        self.valueLimit = valueLimit
    }
}
