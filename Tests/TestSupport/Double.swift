import Tensors

/// A row-major matrix of doubles, for references.
public struct DoubleMatrix {
    /// The number of rows.
    public let rows: Int
    /// The number of columns.
    public let columns: Int
    /// The elements, row by row.
    public var values: [Double]

    /// Creates a matrix of zeros.
    public init(rows: Int, columns: Int) {
        (self.rows, self.columns) = (rows, columns)
        values = [Double](repeating: 0, count: rows * columns)
    }

    /// Copies a tensor, its first axis as rows.
    public init(_ tensor: Tensor) {
        (rows, columns) = (tensor.rows, tensor.columns)
        values = tensor.values.map(Double.init)
    }

    /// One element.
    public subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }
}

/// The scalar `Σ weights · values`: a loss whose gradient by `values` is `weights`.
public func weightedSum(_ values: [Double], _ weights: Tensor) -> Double {
    zip(values, weights.values).reduce(0) { $0 + $1.0 * Double($1.1) }
}
