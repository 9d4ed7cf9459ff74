import CKernels

extension CPUEngine {
    /// `y = -exp(x)`.
    public func negativeExponential(_ x: Tensor, into y: Tensor) {
        precondition(
            x.count == y.count && x.isContiguous && y.isContiguous,
            "x is \(x.shape), y is \(y.shape)")
        mtl_exp(isa, x.base, y.base, x.count)
        scale(y, by: -1)
    }

    /// `gradX += gradY · y`.
    public func negativeExponentialBackward(_ gradY: Tensor, y: Tensor, into gradX: Tensor) {
        precondition(
            gradY.shape == y.shape && gradX.shape == y.shape,
            "gradY is \(gradY.shape), y is \(y.shape), gradX is \(gradX.shape)")
        for row in 0..<y.rows {
            let (up, at, sum) = (gradY.matrix(row: row), y.matrix(row: row), gradX.matrix(row: row))
            for column in 0..<y.columns {
                sum.start[column] += up.start[column] * at.start[column]
            }
        }
    }

    /// `x = log(1 + exp(x))`.
    public func softplus(_ x: Tensor) {
        divide(x.rows, by: 16) { part, _ in
            mtl_softplus(isa, x.matrix(row: part.lowerBound), part.count, x.columns)
        }
    }

    /// `grad = grad * (1 - exp(-y))`.
    public func softplusBackward(_ grad: Tensor, y: Tensor) {
        precondition(grad.shape == y.shape, "grad is \(grad.shape), y is \(y.shape)")
        divide(y.rows, by: 16) { part, _ in
            mtl_softplus_backward(
                isa, grad.matrix(row: part.lowerBound), y.matrix(row: part.lowerBound), part.count,
                y.columns)
        }
    }

    /// `result = y · SiLU(z)`.
    public func gate(_ y: Tensor, z: Tensor, into result: Tensor) {
        precondition(
            y.shape == z.shape && y.shape == result.shape,
            "y is \(y.shape), z is \(z.shape), result is \(result.shape)")
        divide(y.rows, by: 16) { part, _ in
            let row = part.lowerBound
            mtl_gate(
                isa, y.matrix(row: row), z.matrix(row: row), result.matrix(row: row), part.count,
                y.columns)
        }
    }

    /// The gradients of ``gate(_:z:into:)``.
    public func gateBackward(
        _ gradResult: Tensor, y: Tensor, z: Tensor, gradY: Tensor, gradZ: Tensor
    ) {
        precondition(
            [y.shape, z.shape, gradY.shape, gradZ.shape].allSatisfy { $0 == gradResult.shape },
            "gradResult is \(gradResult.shape), y is \(y.shape), z is \(z.shape)")
        divide(y.rows, by: 16) { part, _ in
            let row = part.lowerBound
            mtl_gate_backward(
                isa, gradResult.matrix(row: row), y.matrix(row: row), z.matrix(row: row),
                gradY.matrix(row: row), gradZ.matrix(row: row), part.count, y.columns)
        }
    }

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
