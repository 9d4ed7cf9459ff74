extension Engine {
    /// Allocates a tensor whose values are undefined until written.
    public func tensor(_ shape: [Int]) -> Tensor {
        Tensor(
            viewing: allocate(bytes: shape.reduce(1, *) * MemoryLayout<Float>.stride), shape: shape)
    }

    /// Allocates a tensor of equal values.
    public func tensor(_ shape: [Int], repeating value: Float) -> Tensor {
        let tensor = tensor(shape)
        fill(tensor, with: value)
        return tensor
    }

    /// A contiguous copy in memory of its own.
    public func copy(_ x: Tensor) -> Tensor {
        let result = tensor(x.shape)
        copy(x, to: result)
        return result
    }

    /// The same tensor where operations find it: itself, unless it is in memory that they cannot reach.
    public func reachable(_ x: Tensor) -> Tensor { reachable(WeightMatrix(x)).tensor ?? x }

    /// The values of a matrix in single precision, in memory of their own.
    public func expanded(_ x: WeightMatrix) -> Tensor {
        let result = tensor([x.rows, x.columns])
        gatherRows(RowIndices((0..<Int32(x.rows)).map { $0 }), of: x, into: result)
        return result.reshaped(x.shape)
    }

    /// Computes `y = x · weightᵀ + bias + addend` with a weight in single precision.
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, adding addend: Tensor?, into y: Tensor
    ) {
        linear(x, weight: WeightMatrix(weight), bias: bias, adding: addend, into: y)
    }

    /// Computes `gradX = gradY · weight + addend` with a weight in single precision.
    public func linearInputGradient(
        _ gradY: Tensor, weight: Tensor, adding addend: Tensor?, into gradX: Tensor
    ) {
        linearInputGradient(gradY, weight: WeightMatrix(weight), adding: addend, into: gradX)
    }

    /// Copies rows of a table in single precision.
    public func gatherRows(_ indices: RowIndices, of table: Tensor, into y: Tensor) {
        gatherRows(indices, of: WeightMatrix(table), into: y)
    }

    /// The sum of the squares of all elements.
    ///
    /// - Parameter x: A matrix in any format; rows are expanded a few at a time.
    /// - Returns: The sum; not finite if an element is not.
    public func sumOfSquares(_ x: WeightMatrix) -> Double {
        if let tensor = x.tensor { return sumOfSquares([tensor]).value }
        let height = min(x.rows, max(1, (1 << 18) / max(x.columns, 1)))
        let part = tensor([height, x.columns])
        return stride(from: 0, to: x.rows, by: height).reduce(0) { sum, first in
            let indices = (first..<min(first + height, x.rows)).map(Int32.init)
            let rows = part.rows(0..<indices.count)
            gatherRows(RowIndices(indices), of: x, into: rows)
            return sum + sumOfSquares([rows]).value
        }
    }
}
