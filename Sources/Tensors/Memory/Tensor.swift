/// A view of row-major `Float` memory.
///
/// A tensor is a handle: copies and views share their memory, as arrays of other numerical
/// libraries do, so that kernels write their results where the caller wants them. Rows may lie
/// further apart than they are wide (``rowStride``), which is how a column block of a wider tensor
/// is passed on without a copy. Everything but the first axis is contiguous.
///
/// Tensors are not `Sendable`: one thread drives the model, and the kernels divide the work.
public struct Tensor {
    /// The memory that is viewed, of which the tensor begins at ``offset``.
    package let memory: Memory
    /// The first element's place in the memory, in elements.
    package let offset: Int
    /// The size of each axis; the last axis is contiguous.
    public let shape: [Int]
    /// The distance, in elements, from one row to the next.
    public let rowStride: Int

    private init(memory: Memory, offset: Int, shape: [Int], rowStride: Int) {
        self.memory = memory
        self.offset = offset
        self.shape = shape
        self.rowStride = rowStride
    }

    /// Views the first elements of memory.
    ///
    /// - Parameters:
    ///   - memory: At least as large as the tensor.
    ///   - shape: The size of each axis, none negative.
    public init(viewing memory: Memory, shape: [Int]) {
        precondition(shape.allSatisfy { $0 >= 0 }, "shape is \(shape), expected no negative size")
        let bytes = shape.reduce(1, *) * MemoryLayout<Float>.stride
        precondition(memory.byteCount >= bytes, "\(memory.byteCount) bytes for shape \(shape)")
        self.init(
            memory: memory, offset: 0, shape: shape, rowStride: shape.dropFirst().reduce(1, *))
    }

    /// Allocates a tensor of equal values in the host's memory.
    ///
    /// - Parameters:
    ///   - shape: The size of each axis, none negative.
    ///   - value: The value of every element.
    public init(shape: [Int], repeating value: Float = 0) {
        self.init(uninitialized: shape)
        base.initialize(repeating: value, count: count)
    }

    /// Allocates a tensor in the host's memory whose values are undefined until written.
    public init(uninitialized shape: [Int]) {
        self.init(
            viewing: Memory(hostBytes: shape.reduce(1, *) * MemoryLayout<Float>.stride),
            shape: shape)
    }

    /// Allocates a tensor with the given values in the host's memory.
    ///
    /// - Parameters:
    ///   - values: The elements in row-major order, as many as `shape` holds.
    ///   - shape: The size of each axis.
    public init(_ values: [Float], shape: [Int]) {
        self.init(uninitialized: shape)
        self.values = values
    }

    /// Views memory of the host that lives as long as `owner`, such as a mapped file.
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
        precondition(
            Int(bitPattern: bytes.baseAddress) % 4 == 0, "memory is not aligned to 4 bytes")
        self.init(viewing: Memory(viewing: bytes, owner: owner), shape: shape)
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// The size of the first axis; 1 for a scalar.
    public var rows: Int { shape.first ?? 1 }
    /// The number of elements in one row.
    public var columns: Int { shape.dropFirst().reduce(1, *) }
    /// Whether the rows follow each other without a gap.
    public var isContiguous: Bool { rowStride == columns || rows <= 1 }

    /// The first element, in the address space of the engine that gave the memory.
    package var base: UnsafeMutablePointer<Float> {
        memory.address.assumingMemoryBound(to: Float.self) + offset
    }

    /// A copy of the elements in row-major order; waits for what computes them.
    public var values: [Float] {
        get {
            [Float](unsafeUninitializedCapacity: count) { buffer, filled in
                read(into: UnsafeMutableRawBufferPointer(buffer))
                filled = count
            }
        }
        nonmutating set {
            precondition(
                newValue.count == count,
                "\(newValue.count) values for shape \(shape), expected \(count)")
            newValue.withUnsafeBytes { source in
                for (row, bytes) in rowBytes.enumerated() {
                    let target = base + row * rowStride
                    if let transfer = memory.transfer {
                        transfer.write(target, UnsafeRawBufferPointer(rebasing: source[bytes]))
                    } else if let start = source.baseAddress {
                        UnsafeMutableRawPointer(target).copyMemory(
                            from: start + bytes.lowerBound, byteCount: bytes.count)
                    }
                }
            }
        }
    }

    /// Sets an array to the elements, in memory that it has already; waits for what computes them.
    public func read(into array: inout [Float]) {
        if array.count != count { array = [Float](repeating: 0, count: count) }
        array.withUnsafeMutableBytes { read(into: $0) }
    }

    /// Calls `body` with the elements in row-major order, or with a copy where they do not lie so in the host's memory.
    public func withElements<R>(
        _ body: (UnsafeBufferPointer<Float>) throws -> R
    ) rethrows -> R {
        guard memory.isHost && isContiguous else {
            return try values.withUnsafeBufferPointer(body)
        }
        return try withExtendedLifetime(memory) {
            try body(UnsafeBufferPointer(start: base, count: count))
        }
    }

    private func read(into target: UnsafeMutableRawBufferPointer) {
        for (row, bytes) in rowBytes.enumerated() {
            let source = UnsafeRawPointer(base + row * rowStride)
            if let transfer = memory.transfer {
                transfer.read(source, UnsafeMutableRawBufferPointer(rebasing: target[bytes]))
            } else if let start = target.baseAddress {
                (start + bytes.lowerBound).copyMemory(from: source, byteCount: bytes.count)
            }
        }
    }

    /// Where each row's bytes are in a copy without gaps; all at once if there are none here.
    private var rowBytes: some Collection<Range<Int>> {
        let bytes = columns * MemoryLayout<Float>.stride
        let (pieces, size) = isContiguous ? (count == 0 ? 0 : 1, rows * bytes) : (rows, bytes)
        return (0..<pieces).lazy.map { $0 * size..<($0 + 1) * size }
    }

    /// One element of a tensor with two axes in the host's memory.
    public subscript(row: Int, column: Int) -> Float {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            precondition(memory.isHost, "an element of memory that the host cannot reach")
            return base[row * rowStride + column]
        }
        nonmutating set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            precondition(memory.isHost, "an element of memory that the host cannot reach")
            base[row * rowStride + column] = newValue
        }
    }

    /// Calls `body` with the elements of a contiguous tensor in the host's memory.
    public func withUnsafeMutableElements<R>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R {
        precondition(isContiguous, "shape \(shape) has rows \(rowStride) apart")
        precondition(memory.isHost, "elements of memory that the host cannot reach")
        return try body(UnsafeMutableBufferPointer(start: base, count: count))
    }
}

extension Tensor {
    /// A view of some rows, `[range.count, …]`.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of shape \(shape)")
        return Tensor(
            memory: memory, offset: offset + range.lowerBound * rowStride,
            shape: [range.count] + shape.dropFirst(), rowStride: rowStride)
    }

    /// A view of some columns of a tensor with two axes, `[rows, range.count]`.
    public func columns(_ range: Range<Int>) -> Tensor {
        precondition(
            shape.count == 2 && range.lowerBound >= 0 && range.upperBound <= columns,
            "columns \(range) of shape \(shape)")
        return Tensor(
            memory: memory, offset: offset + range.lowerBound, shape: [rows, range.count],
            rowStride: rowStride)
    }

    /// The same contiguous elements under another shape.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(
            isContiguous && shape.reduce(1, *) == count, "shape \(self.shape) seen as \(shape)")
        return Tensor(
            memory: memory, offset: offset, shape: shape,
            rowStride: shape.dropFirst().reduce(1, *))
    }

    /// A contiguous copy in the host's memory.
    public func copy() -> Tensor { Tensor(values, shape: shape) }
}
