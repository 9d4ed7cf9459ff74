import CKernels
import Tensors

extension CPUEngine {
    /// `y += scale · x`.
    public func add(_ x: Tensor, scale: Float, to y: Tensor) {
        precondition(x.shape == y.shape, "x is \(x.shape), y is \(y.shape)")
        divide(y.rows, by: 16) { part, _ in
            mtl_add_scaled(
                isa, x.matrix(row: part.lowerBound), scale, y.matrix(row: part.lowerBound),
                part.count, y.columns)
        }
    }

    /// `x *= factor`.
    public func scale(_ x: Tensor, by factor: Float) {
        divide(x.rows, by: 16) { part, _ in
            mtl_scale(isa, x.matrix(row: part.lowerBound), factor, part.count, x.columns)
        }
    }
}
