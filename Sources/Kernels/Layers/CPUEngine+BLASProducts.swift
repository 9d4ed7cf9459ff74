import CKernels

extension CPUEngine {
    /// Computes a product by OpenBLAS, in tiles of one thread each.
    ///
    /// Weights in other formats are expanded part by part, at most 1024 deep.
    func multiplyWithBLAS(_ x: mtl_gemm) {
        let (tileRows, tileColumns) = (384, 256)
        let across = (x.columns + tileColumns - 1) / tileColumns
        let down = (x.rows + tileRows - 1) / tileRows
        let deep = x.b.format == MTL_FLOAT32 ? max(x.depth, 1) : 1024
        let blas = blas
        pool.run(across * down) { tile, worker in
            let row = tile / across * tileRows
            let column = tile % across * tileColumns
            let rows = row..<min(row + tileRows, x.rows)
            let columns = column..<min(column + tileColumns, x.columns)
            prepare(x, rows: rows, columns: columns)
            for first in stride(from: 0, to: x.depth, by: deep) {
                let depth = first..<min(first + deep, x.depth)
                let b = rightFactor(x, depth: depth, columns: columns, worker: worker)
                blas.gemm(
                    OpenBLAS.rowMajor, x.a_column == 1 ? OpenBLAS.plain : OpenBLAS.transposed,
                    x.b_is_transposed ? OpenBLAS.transposed : OpenBLAS.plain, Int32(rows.count),
                    Int32(columns.count), Int32(depth.count), 1,
                    x.a + row * x.a_row + first * x.a_column,
                    Int32(max(x.a_row, x.a_column)), b.start, Int32(b.row), 1,
                    x.c + row * x.c_row + column, Int32(x.c_row))
            }
        }
    }

    /// Some depths and columns of `b`: where they lie, or expanded.
    private func rightFactor(
        _ x: mtl_gemm, depth: Range<Int>, columns: Range<Int>, worker: Int
    ) -> (start: UnsafePointer<Float>, row: Int) {
        let (lines, places) = x.b_is_transposed ? (columns, depth) : (depth, columns)
        guard x.b.format != MTL_FLOAT32 else {
            let b = x.b.values.assumingMemoryBound(to: Float.self)
            return (b + lines.lowerBound * x.b.row + places.lowerBound, x.b.row)
        }
        let memory = scratch(worker: worker, floats: lines.count * places.count)
        withUnsafePointer(to: x.b) { matrix in
            for (index, line) in lines.enumerated() {
                mtl_expand(
                    isa, matrix, line, places.lowerBound, places.count,
                    memory + index * places.count)
            }
        }
        return (UnsafePointer(memory), places.count)
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
