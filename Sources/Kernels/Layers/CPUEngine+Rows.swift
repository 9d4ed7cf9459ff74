import CKernels
import Tensors

extension CPUEngine {
    /// Row `i` of `y` becomes row `indices[i]` of `table`.
    public func gatherRows(_ indices: RowIndices, of table: WeightMatrix, into y: Tensor) {
        let indices = indices.values
        check(indices, table: table.shape, rows: y)
        table.withCMatrix { matrix in
            divide(y.rows, by: 64) { part, _ in
                for row in part {
                    mtl_expand(
                        isa, matrix, Int(indices[row]), 0, y.columns, y.matrix(row: row).start)
                }
            }
        }
    }

    /// Row `indices[i]` of `gradTable` grows by row `i` of `gradY`.
    public func scatterAddRows(_ gradY: Tensor, to indices: RowIndices, of gradTable: Tensor) {
        let indices = indices.values
        check(indices, table: gradTable.shape, rows: gradY)
        // Rows may meet in the table: each job takes some columns of all of them, in order.
        divide(gradY.columns, by: 64) { part, _ in
            for row in 0..<gradY.rows {
                mtl_add_scaled(
                    isa, gradY.matrix(row: row, column: part.lowerBound), 1,
                    gradTable.matrix(row: Int(indices[row]), column: part.lowerBound), 1,
                    part.count)
            }
        }
    }

    private func check(_ indices: [Int32], table: [Int], rows: Tensor) {
        precondition(
            indices.count == rows.rows && rows.columns == table.dropFirst().reduce(1, *),
            "\(indices.count) indices, table is \(table), rows are \(rows.shape)")
        let count = table.first ?? 1
        precondition(
            indices.allSatisfy { $0 >= 0 && Int($0) < count },
            "an index is not a row of a table of \(count)")
    }
}

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

extension CPUEngine {
    /// Calls `part` for every index in `0..<count`, in parallel unless there is too little to do.
    ///
    /// - Parameters:
    ///   - count: The number of parts.
    ///   - work: A rough cost of all parts, in nanoseconds of one thread.
    ///   - part: Called with the part's index and the number of a worker, for scratch memory.
    func run(_ count: Int, work: Int, _ part: (_ index: Int, _ worker: Int) -> Void) {
        // To wake a thread takes about as long.
        if work < 3000 {
            for index in 0..<count { part(index, 0) }
        } else {
            pool.run(count, part)
        }
    }
}
