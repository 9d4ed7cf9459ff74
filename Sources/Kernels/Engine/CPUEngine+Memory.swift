import CKernels
import Tensors

extension CPUEngine {
    /// Memory of the host.
    public func allocate(bytes: Int) -> Memory { Memory(hostBytes: bytes) }

    /// A little more than the width of wide matrices.
    ///
    /// Rows a multiple of 2 KiB apart would share a few sets of the first-level cache, and a product, which reads
    /// twelve rows at once, would lose lines before it has read them to their end.
    public func rowStride(columns: Int) -> Int {
        columns >= 1024 && columns % 512 == 0 ? columns + 16 : columns
    }

    /// The matrix itself: all memory of the host is in reach.
    public func reachable(_ x: WeightMatrix) -> WeightMatrix { x }

    /// Rounds row by row.
    public func rounded(_ x: Tensor, to format: WeightMatrix.Format) -> WeightMatrix {
        let memory = { (size: Int) in Memory(hostBytes: x.count * size) }
        func round(to memory: Memory, size: Int, _ format: mtl_format, scales: Tensor?) {
            for row in 0..<x.rows {
                mtl_round(
                    isa, x.matrix(row: row).start, x.columns, format,
                    memory.address + row * x.columns * size, scales.map { $0.base + row })
            }
        }
        switch format {
        case .float32: return WeightMatrix(x)
        case .bfloat16:
            let elements = memory(2)
            round(to: elements, size: 2, MTL_BFLOAT16, scales: nil)
            return WeightMatrix(elements: .bfloat16(elements), shape: x.shape)
        case .int8:
            let (elements, scales) = (memory(1), Tensor(uninitialized: [x.rows]))
            round(to: elements, size: 1, MTL_INT8, scales: scales)
            return WeightMatrix(elements: .int8(elements, scales: scales), shape: x.shape)
        }
    }

    /// Row after row.
    public func copy(_ x: Tensor, to y: Tensor) {
        precondition(x.shape == y.shape, "x is \(x.shape), y is \(y.shape)")
        for row in 0..<x.rows {
            (y.base + row * y.rowStride).update(from: x.base + row * x.rowStride, count: x.columns)
        }
    }

    /// Row after row.
    public func fill(_ x: Tensor, with value: Float) {
        for row in 0..<x.rows {
            (x.base + row * x.rowStride).update(repeating: value, count: x.columns)
        }
    }

    /// Does nothing: operations are done when they return.
    public func finish() {}
}

extension WeightMatrix {
    /// The matrix as C kernels take it; valid as long as the matrix is.
    var cMatrix: mtl_weights {
        switch elements {
        case .float32(let tensor):
            mtl_weights(
                values: UnsafeRawPointer(tensor.base), row: tensor.rowStride, format: MTL_FLOAT32,
                scales: nil)
        case .bfloat16(let memory):
            mtl_weights(
                values: UnsafeRawPointer(memory.address), row: columns, format: MTL_BFLOAT16,
                scales: nil)
        case .int8(let memory, let scales):
            mtl_weights(
                values: UnsafeRawPointer(memory.address), row: columns, format: MTL_INT8,
                scales: UnsafePointer(scales.base))
        }
    }

    /// Calls `body` with the matrix as C kernels take it.
    func withCMatrix<Result>(_ body: (UnsafePointer<mtl_weights>) -> Result) -> Result {
        withExtendedLifetime(elements) { withUnsafePointer(to: cMatrix, body) }
    }
}
