import Tensors

extension CPUEngine {
    /// `y = dropout(x)`.
    public func drop(_ dropout: Dropout, _ x: Tensor, into y: Tensor) {
        precondition(x.shape == y.shape, "x is \(x.shape), y is \(y.shape)")
        divide(x.rows, by: 16) { part, _ in
            for row in part {
                dropout.apply(
                    x.matrix(row: row).start, row: row, columns: x.columns,
                    into: y.matrix(row: row).start)
            }
        }
    }
}

extension Dropout {
    /// Drops elements of one row; `y` may be `x`.
    fileprivate func apply(
        _ x: UnsafePointer<Float>, row: Int, columns: Int, into y: UnsafeMutablePointer<Float>
    ) {
        let threshold = UInt64(Double(probability) * 0x1p32)
        let factor = 1 / (1 - probability)
        let first = UInt64(row) &* UInt64(columns)
        for column in 0..<columns {
            let place = first &+ UInt64(column)
            let draw = Dropout.mix(key &+ place &* 0x9E37_79B9_7F4A_7C15) >> 32
            y[column] = draw < threshold ? 0 : x[column] * factor
        }
    }
}
