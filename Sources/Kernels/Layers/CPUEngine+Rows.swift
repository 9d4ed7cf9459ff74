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
