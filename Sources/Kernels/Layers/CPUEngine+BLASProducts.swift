import CKernels
import COpenBLAS

extension CPUEngine {
    /// Computes a product by OpenBLAS, in tiles of one thread each.
    func multiplyWithBLAS(_ x: mtl_gemm) {
        let (tileRows, tileColumns) = (384, 256)
        let across = (x.columns + tileColumns - 1) / tileColumns
        let down = (x.rows + tileRows - 1) / tileRows
        pool.run(across * down) { tile, _ in
            let row = tile / across * tileRows
            let column = tile % across * tileColumns
            let rows = row..<min(row + tileRows, x.rows)
            let columns = column..<min(column + tileColumns, x.columns)
            prepare(x, rows: rows, columns: columns)
            guard x.depth > 0 else { return }
            let b = x.b.values.assumingMemoryBound(to: Float.self)
            cblas_sgemm(
                CblasRowMajor, x.a_column == 1 ? CblasNoTrans : CblasTrans,
                x.b_is_transposed ? CblasTrans : CblasNoTrans, blasint(rows.count),
                blasint(columns.count), blasint(x.depth), 1, x.a + row * x.a_row,
                blasint(max(x.a_row, x.a_column)),
                b + (x.b_is_transposed ? column * x.b.row : column), blasint(x.b.row), 1,
                x.c + row * x.c_row + column, blasint(x.c_row))
        }
    }

    /// Sets a tile to what the product is added to.
    private func prepare(_ x: mtl_gemm, rows: Range<Int>, columns: Range<Int>) {
        for row in rows {
            let target = x.c + row * x.c_row + columns.lowerBound
            if let addend = x.addend {
                target.update(
                    from: addend + row * x.addend_row + columns.lowerBound, count: columns.count)
            } else {
                target.update(repeating: 0, count: columns.count)
            }
            guard let bias = x.bias else { continue }
            for column in columns { target[column - columns.lowerBound] += bias[column] }
        }
    }
}
