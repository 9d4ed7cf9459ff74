import CKernels

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
        /// Whole numbers from -127 to 127, times one scale a row: an error of half a scale at most.
        case int8
    }

    enum Elements {
        case float32(Tensor)
        case bfloat16(ElementStorage<UInt16>)
        case int8(ElementStorage<Int8>, scales: Tensor)
    }

    let elements: Elements
    /// The size of each axis; rows are the first, all others together are columns.
    public let shape: [Int]

    /// Views a tensor.
    public init(_ tensor: Tensor) {
        self.init(elements: .float32(tensor), shape: tensor.shape)
    }

    private init(elements: Elements, shape: [Int]) {
        (self.elements, self.shape) = (elements, shape)
    }

    /// Rounds a tensor of finite values to a format, the nearest value of it, of two equally near the
    /// even one; views it if the format is single precision.
    ///
    /// - Parameters:
    ///   - tensor: The values.
    ///   - format: With int8, a row's scale is its greatest magnitude over 127.
    public init(rounding tensor: Tensor, to format: Format) {
        let (rows, columns, set) = (tensor.rows, tensor.columns, InstructionSet.best.isa)
        func row(_ index: Int) -> UnsafeMutablePointer<Float> { tensor.matrix(row: index).start }
        switch format {
        case .float32: self.init(tensor)
        case .bfloat16:
            let storage = ElementStorage<UInt16>(count: tensor.count)
            for index in 0..<rows {
                mtl_round(
                    set, row(index), columns, MTL_BFLOAT16, storage.base + index * columns, nil)
            }
            self.init(elements: .bfloat16(storage), shape: tensor.shape)
        case .int8:
            let storage = ElementStorage<Int8>(count: tensor.count)
            let scales = Tensor(uninitialized: [rows])
            for index in 0..<rows {
                mtl_round(
                    set, row(index), columns, MTL_INT8, storage.base + index * columns,
                    scales.base + index)
            }
            self.init(elements: .int8(storage, scales: scales), shape: tensor.shape)
        }
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
        guard let start = bytes.baseAddress else {
            self.init(elements: .bfloat16(ElementStorage(count: 0)), shape: shape)
            return
        }
        precondition(Int(bitPattern: start) % 2 == 0, "memory is not aligned to 2 bytes")
        let patterns = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: UInt16.self))
        self.init(
            elements: .bfloat16(ElementStorage(borrowing: patterns, count: count, from: owner)),
            shape: shape)
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

    /// The values in single precision, in memory of their own.
    public func expanded() -> Tensor {
        let result = Tensor(uninitialized: shape)
        withCMatrix { matrix in
            for row in 0..<rows {
                mtl_expand(
                    InstructionSet.best.isa, matrix, row, 0, columns, result.base + row * columns)
            }
        }
        return result
    }

    /// Calls `body` with the memory of the elements in row-major order, then with that of the scales if there
    /// are any.
    public func forEachBuffer(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        func visit(_ tensor: Tensor) throws {
            let tensor = tensor.isContiguous ? tensor : tensor.copy()
            try tensor.withUnsafeMutableElements { try body(UnsafeRawBufferPointer($0)) }
        }
        switch elements {
        case .float32(let tensor): try visit(tensor)
        case .bfloat16(let storage):
            try withExtendedLifetime(storage) {
                try body(UnsafeRawBufferPointer(start: storage.base, count: 2 * count))
            }
        case .int8(let storage, let scales):
            try withExtendedLifetime(storage) {
                try body(UnsafeRawBufferPointer(start: storage.base, count: count))
            }
            try visit(scales)
        }
    }

    /// One element.
    public subscript(row: Int, column: Int) -> Float {
        precondition(row >= 0 && row < rows && column >= 0 && column < columns)
        var value: Float = 0
        withCMatrix { mtl_expand(MTL_PORTABLE, $0, row, column, 1, &value) }
        return value
    }

    /// The matrix as C kernels take it; valid as long as the matrix is.
    var cMatrix: mtl_weights {
        switch elements {
        case .float32(let tensor):
            mtl_weights(
                values: UnsafeRawPointer(tensor.base), row: tensor.rowStride, format: MTL_FLOAT32,
                scales: nil)
        case .bfloat16(let storage):
            mtl_weights(
                values: UnsafeRawPointer(storage.base), row: columns, format: MTL_BFLOAT16,
                scales: nil)
        case .int8(let storage, let scales):
            mtl_weights(
                values: UnsafeRawPointer(storage.base), row: columns, format: MTL_INT8,
                scales: UnsafePointer(scales.base))
        }
    }

    /// Calls `body` with the matrix as C kernels take it.
    func withCMatrix<Result>(_ body: (UnsafePointer<mtl_weights>) -> Result) -> Result {
        withExtendedLifetime(elements) { withUnsafePointer(to: cMatrix, body) }
    }
}
