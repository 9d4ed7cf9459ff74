import Tensors

/// The gradient of `loss` by one tensor, by central differences.
///
/// `loss` must be computed in `Double` from the tensor's `Float` values, so that the result is
/// good to about `step * step`.
public func centralDifference(
    at point: Tensor, step: Float = 1e-3, of loss: (Tensor) -> Double
) -> [Double] {
    let values = point.values
    return values.indices.map { index in
        let (above, below) = (point.copy(), point.copy())
        var (up, down) = (values, values)
        up[index] += step
        down[index] -= step
        above.values = up
        below.values = down
        return (loss(above) - loss(below)) / (Double(up[index]) - Double(down[index]))
    }
}
