extension Engine {
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
    public func gatherRows(_ indices: [Int32], of table: Tensor, into y: Tensor) {
        gatherRows(indices, of: WeightMatrix(table), into: y)
    }

    /// The sum of the squares of all elements.
    ///
    /// - Parameter x: A matrix in any format; rows are expanded a few at a time.
    /// - Returns: The sum; not finite if an element is not.
    public func sumOfSquares(_ x: WeightMatrix) -> Double {
        if let tensor = x.tensor { return sumOfSquares(tensor) }
        let height = min(x.rows, max(1, (1 << 18) / max(x.columns, 1)))
        let part = Tensor(uninitialized: [height, x.columns])
        return stride(from: 0, to: x.rows, by: height).reduce(0) { sum, first in
            let indices = (first..<min(first + height, x.rows)).map(Int32.init)
            let rows = part.rows(0..<indices.count)
            gatherRows(indices, of: x, into: rows)
            return sum + sumOfSquares(rows)
        }
    }
}
