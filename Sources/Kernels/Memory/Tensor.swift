/// A view of row-major `Float` memory.
///
/// A tensor is a handle: copies and views share their memory, as arrays of other numerical
/// libraries do, so that kernels write their results where the caller wants them. Rows may lie
/// further apart than they are wide (``rowStride``), which is how a column block of a wider tensor
/// is passed on without a copy. Everything but the first axis is contiguous.
///
/// Tensors are not `Sendable`: one thread drives the model, and the kernels divide the work.
public struct Tensor {
    let storage: ElementStorage<Float>
    let offset: Int
    /// The size of each axis; the last axis is contiguous.
    public let shape: [Int]
    /// The distance, in elements, from one row to the next.
    public let rowStride: Int

    init(storage: ElementStorage<Float>, offset: Int, shape: [Int], rowStride: Int) {
        self.storage = storage
        self.offset = offset
        self.shape = shape
        self.rowStride = rowStride
    }

    /// Allocates a tensor of equal values.
    ///
    /// - Parameters:
    ///   - shape: The size of each axis, none negative.
    ///   - value: The value of every element.
    public init(shape: [Int], repeating value: Float = 0) {
        self.init(uninitialized: shape)
        storage.base.initialize(repeating: value, count: storage.count)
    }

    /// Allocates a tensor whose values are undefined until written.
    public init(uninitialized shape: [Int]) {
        precondition(shape.allSatisfy { $0 >= 0 }, "shape is \(shape), expected no negative size")
        let count = shape.reduce(1, *)
        self.init(
            storage: ElementStorage(count: count), offset: 0, shape: shape,
            rowStride: shape.dropFirst().reduce(1, *))
    }

    /// Allocates a tensor with the given values.
    ///
    /// - Parameters:
    ///   - values: The elements in row-major order, as many as `shape` holds.
    ///   - shape: The size of each axis.
    public init(_ values: [Float], shape: [Int]) {
        self.init(uninitialized: shape)
        precondition(
            values.count == count, "\(values.count) values for shape \(shape), expected \(count)")
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress {
                storage.base.initialize(from: base, count: source.count)
            }
        }
    }

    /// Views memory that lives as long as `owner`, such as a mapped file.
    ///
    /// - Parameters:
    ///   - bytes: Little-endian floats, aligned to 4 bytes; writable if the tensor is written to.
    ///   - shape: The size of each axis; must fill `bytes` exactly.
    ///   - owner: Kept alive as long as the tensor is.
    public init(viewing bytes: UnsafeMutableRawBufferPointer, shape: [Int], owner: AnyObject) {
        let count = shape.reduce(1, *)
        precondition(
            bytes.count == count * 4,
            "\(bytes.count) bytes for shape \(shape), expected \(count * 4)")
        guard let start = bytes.baseAddress else {
            self.init(uninitialized: shape)
            return
        }
        precondition(Int(bitPattern: start) % 4 == 0, "memory is not aligned to 4 bytes")
        self.init(
            storage: ElementStorage(
                borrowing: start.assumingMemoryBound(to: Float.self), count: count, from: owner),
            offset: 0, shape: shape, rowStride: shape.dropFirst().reduce(1, *))
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// The size of the first axis; 1 for a scalar.
    public var rows: Int { shape.first ?? 1 }
    /// The number of elements in one row.
    public var columns: Int { shape.dropFirst().reduce(1, *) }
    /// Whether the rows follow each other without a gap.
    public var isContiguous: Bool { rowStride == columns || rows <= 1 }

    var base: UnsafeMutablePointer<Float> { storage.base + offset }

    /// A copy of the elements in row-major order.
    public var values: [Float] {
        get {
            let (rows, columns) = (rows, columns)
            return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
                if let target = buffer.baseAddress {
                    for row in 0..<rows {
                        (target + row * columns).initialize(
                            from: base + row * rowStride, count: columns)
                    }
                }
                filled = count
            }
        }
        nonmutating set {
            precondition(
                newValue.count == count,
                "\(newValue.count) values for shape \(shape), expected \(count)")
            newValue.withUnsafeBufferPointer { source in
                guard let start = source.baseAddress else { return }
                for row in 0..<rows {
                    (base + row * rowStride).update(from: start + row * columns, count: columns)
                }
            }
        }
    }

    /// One element of a tensor with two axes.
    public subscript(row: Int, column: Int) -> Float {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            return base[row * rowStride + column]
        }
        nonmutating set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            base[row * rowStride + column] = newValue
        }
    }

    /// Calls `body` with the elements of a contiguous tensor.
    public func withUnsafeMutableElements<R>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R {
        precondition(isContiguous, "shape \(shape) has rows \(rowStride) apart")
        return try body(UnsafeMutableBufferPointer(start: base, count: count))
    }
}

extension Tensor {
    /// A view of some rows, `[range.count, …]`.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of shape \(shape)")
        return Tensor(
            storage: storage, offset: offset + range.lowerBound * rowStride,
            shape: [range.count] + shape.dropFirst(), rowStride: rowStride)
    }

    /// A view of some columns of a tensor with two axes, `[rows, range.count]`.
    public func columns(_ range: Range<Int>) -> Tensor {
        precondition(
            shape.count == 2 && range.lowerBound >= 0 && range.upperBound <= columns,
            "columns \(range) of shape \(shape)")
        return Tensor(
            storage: storage, offset: offset + range.lowerBound, shape: [rows, range.count],
            rowStride: rowStride)
    }

    /// The same contiguous elements under another shape.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(
            isContiguous && shape.reduce(1, *) == count, "shape \(self.shape) seen as \(shape)")
        return Tensor(
            storage: storage, offset: offset, shape: shape,
            rowStride: shape.dropFirst().reduce(1, *))
    }

    /// A contiguous copy with memory of its own.
    public func copy() -> Tensor {
        let result = Tensor(uninitialized: shape)
        result.copy(from: self)
        return result
    }

    /// Copies the elements of a tensor of the same shape.
    public func copy(from other: Tensor) {
        precondition(shape == other.shape, "shape \(shape) copied from \(other.shape)")
        for row in 0..<rows {
            (base + row * rowStride).update(
                from: other.base + row * other.rowStride, count: columns)
        }
    }

    /// Sets every element.
    public func fill(_ value: Float) {
        for row in 0..<rows { (base + row * rowStride).update(repeating: value, count: columns) }
    }
}
