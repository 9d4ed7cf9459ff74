import CKernels
import Tensors

extension CPUEngine {
    /// See ``RMSNorm``.
    public func normalize(_ x: RMSNorm.Inputs, into y: Tensor) {
        precondition(
            x.x.shape == y.shape && x.weight.count == y.columns,
            "x is \(x.x.shape), weight is \(x.weight.shape), y is \(y.shape)")
        divide(y.rows, by: 16) { part, _ in
            mtl_rms_norm(
                isa, x.x.matrix(row: part.lowerBound), x.weight.base, x.epsilon,
                y.matrix(row: part.lowerBound), part.count, y.columns)
        }
    }

    /// See ``RMSNorm``.
    public func normalizeBackward(
        _ x: RMSNorm.Inputs, gradY: Tensor, adding addend: Tensor?,
        into gradients: RMSNorm.Gradients
    ) {
        precondition(
            gradY.shape == x.x.shape && gradients.x.shape == x.x.shape
                && addend.map { $0.shape == x.x.shape } ?? true,
            "x is \(x.x.shape), gradY is \(gradY.shape), gradX is \(gradients.x.shape), "
                + "\(addend?.shape ?? []) is added")
        if let gradWeight = gradients.weight {
            addWeightGradient(x, gradY: gradY, to: gradWeight)
        }
        divide(gradY.rows, by: 16) { part, _ in
            mtl_rms_norm_backward(
                isa, x.x.matrix(row: part.lowerBound), x.weight.base, x.epsilon,
                gradY.matrix(row: part.lowerBound), addend.matrix(row: part.lowerBound),
                gradients.x.matrix(row: part.lowerBound), part.count, gradY.columns)
        }
    }

    private func addWeightGradient(_ x: RMSNorm.Inputs, gradY: Tensor, to gradWeight: Tensor) {
        let inverse = scratch(worker: 0, floats: gradY.rows)
        divide(gradY.rows, by: 16) { part, _ in
            mtl_rms_inverse(
                isa, x.x.matrix(row: part.lowerBound), x.epsilon, inverse + part.lowerBound,
                part.count, gradY.columns)
        }
        divide(gradY.columns, by: 64) { part, _ in
            mtl_rms_norm_weight(
                isa, x.x.matrix(column: part.lowerBound), inverse,
                gradY.matrix(column: part.lowerBound), gradWeight.base + part.lowerBound,
                gradY.rows, part.count)
        }
    }
}
