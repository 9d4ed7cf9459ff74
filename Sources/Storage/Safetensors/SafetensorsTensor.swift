/// What a safetensors header says of one tensor, checked against the file.
public struct SafetensorsTensor: Equatable, Sendable {
    /// The name.
    public let name: String
    /// The type of its elements.
    public let type: ElementType
    /// The size of each axis; empty for a scalar.
    public let shape: [Int]
    /// Where its bytes are in the file.
    public let byteRange: Range<Int>
    /// The number of elements.
    public let count: Int
}
