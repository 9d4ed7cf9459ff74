/// A matrix that is multiplied by, in one of several formats.
///
/// Products expand it to single precision while they pack it, and add up in single precision whatever
/// the format; so does every other operation that takes one. Like a ``Tensor``, a matrix is a handle on
/// memory that copies share.
public struct WeightMatrix {
    /// How elements are stored.
    public enum Format: String, CaseIterable, Sendable {
        /// Single precision.
        case float32
        /// Its upper half: 8 bits of exponent and 7 of fraction, a relative error of 2⁻⁹ at most.
        case bfloat16
        /// Whole numbers from -127 to 127, times one scale per row: an error of half a scale at most.
        case int8
    }

    /// The memory of each format.
    package enum Elements {
        /// Values, whose rows may lie apart.
        case float32(Tensor)
        /// The upper halves of values, without gaps.
        case bfloat16(Memory)
        /// Whole numbers, without gaps, and one scale per row.
        case int8(Memory, scales: Tensor)
    }

    /// The elements.
    package let elements: Elements
    /// The size of each axis; rows are the first, all others together are columns.
    public let shape: [Int]

    /// Views a tensor.
    public init(_ tensor: Tensor) {
        self.init(elements: .float32(tensor), shape: tensor.shape)
    }

    /// Groups elements of a shape.
    package init(elements: Elements, shape: [Int]) {
        self.elements = elements
        self.shape = shape
    }

    /// Views bfloat16 patterns that live as long as `owner`, such as a mapped file.
    ///
    /// - Parameters:
    ///   - bytes: Little-endian patterns, aligned to 2 bytes.
    ///   - shape: The size of each axis; must fill `bytes` exactly.
    ///   - owner: Kept alive as long as the matrix is.
    public init(viewingBFloat16 bytes: UnsafeRawBufferPointer, shape: [Int], owner: AnyObject) {
        let count = shape.reduce(1, *)
        precondition(
            bytes.count == count * 2,
            "\(bytes.count) bytes for shape \(shape), expected \(count * 2)")
        precondition(
            Int(bitPattern: bytes.baseAddress) % 2 == 0, "memory is not aligned to 2 bytes")
        let memory = Memory(viewing: UnsafeMutableRawBufferPointer(mutating: bytes), owner: owner)
        self.init(elements: .bfloat16(memory), shape: shape)
    }

    /// How elements are stored.
    public var format: Format {
        switch elements {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int8: .int8
        }
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// The size of the first axis; 1 for a scalar.
    public var rows: Int { shape.first ?? 1 }
    /// The number of elements in one row.
    public var columns: Int { shape.dropFirst().reduce(1, *) }
    /// The memory of the elements and scales.
    public var byteCount: Int {
        switch elements {
        case .float32: 4 * count
        case .bfloat16: 2 * count
        case .int8: count + 4 * rows
        }
    }

    /// The tensor that is viewed; `nil` in another format than single precision.
    public var tensor: Tensor? {
        if case .float32(let tensor) = elements { tensor } else { nil }
    }

    /// Calls `body` with the bytes of the elements in row-major order, then with those of the scales if there are
    /// any; waits for what computes them.
    public func forEachBuffer(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        switch elements {
        case .float32(let tensor):
            try tensor.withElements { try body(UnsafeRawBufferPointer($0)) }
        case .bfloat16(let memory): try memory.withBytes(2 * count, body)
        case .int8(let memory, let scales):
            try memory.withBytes(count, body)
            try scales.withElements { try body(UnsafeRawBufferPointer($0)) }
        }
    }
}
