/// Numbers of rows to look up or to add to, made once a batch and read in every layer.
public final class RowIndices: ExpressibleByArrayLiteral {
    /// The numbers.
    public let values: [Int32]
    /// What an engine made of them when it first met them.
    package var prepared: AnyObject?

    /// Keeps numbers.
    public init(_ values: [Int32]) { self.values = values }

    /// Keeps numbers.
    public convenience init(arrayLiteral elements: Int32...) { self.init(elements) }

    /// How many there are.
    public var count: Int { values.count }
}
