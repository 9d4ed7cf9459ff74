import CKernels
import COpenBLAS

extension CPUEngine {
    /// `y = x · weightᵀ + bias`.
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, into y: Tensor, accumulating: Bool
    ) {
        precondition(
            x.columns == weight.columns && y.shape == [x.rows, weight.rows],
            "x is \(x.shape), weight is \(weight.shape), y is \(y.shape)")
        if let bias {
            precondition(bias.count == y.columns, "bias is \(bias.shape), y is \(y.shape)")
            spread(bias, over: y, accumulating: accumulating)
        }
        multiply(
            Product(
                a: x.base, aRow: x.rowStride, aColumn: 1, b: weight.base, bRow: 1,
                bColumn: weight.rowStride, c: y.base, cRow: y.rowStride, rows: y.rows,
                columns: y.columns, depth: x.columns, accumulating: accumulating || bias != nil))
    }

    /// `gradX = gradY · weight`.
    public func linearInputGradient(
        _ gradY: Tensor, weight: Tensor, into gradX: Tensor, accumulating: Bool
    ) {
        precondition(
            gradY.columns == weight.rows && gradX.shape == [gradY.rows, weight.columns],
            "gradY is \(gradY.shape), weight is \(weight.shape), gradX is \(gradX.shape)")
        multiply(
            Product(
                a: gradY.base, aRow: gradY.rowStride, aColumn: 1, b: weight.base,
                bRow: weight.rowStride, bColumn: 1, c: gradX.base, cRow: gradX.rowStride,
                rows: gradX.rows, columns: gradX.columns, depth: gradY.columns,
                accumulating: accumulating))
    }

    /// `gradWeight += gradYᵀ · x`.
    public func linearWeightGradient(_ gradY: Tensor, x: Tensor, into gradWeight: Tensor) {
        precondition(
            gradY.rows == x.rows && gradWeight.shape == [gradY.columns, x.columns],
            "gradY is \(gradY.shape), x is \(x.shape), gradWeight is \(gradWeight.shape)")
        multiply(
            Product(
                a: gradY.base, aRow: 1, aColumn: gradY.rowStride, b: x.base, bRow: x.rowStride,
                bColumn: 1, c: gradWeight.base, cRow: gradWeight.rowStride,
                rows: gradWeight.rows, columns: gradWeight.columns, depth: gradY.rows,
                accumulating: true))
    }

    /// `gradBias += sum of the rows of gradY`.
    public func biasGradient(_ gradY: Tensor, into gradBias: Tensor) {
        precondition(
            gradBias.count == gradY.columns, "gradY is \(gradY.shape), bias is \(gradBias.shape)")
        divide(gradY.columns, by: 64) { part, _ in
            mtl_column_sums(
                isa, gradY.matrix(column: part.lowerBound), gradBias.base + part.lowerBound,
                gradY.rows, part.count)
        }
    }

    private func spread(_ bias: Tensor, over y: Tensor, accumulating: Bool) {
        divide(y.rows, by: 64) { part, _ in
            for row in part {
                if accumulating {
                    mtl_add_scaled(
                        isa, bias.matrix(), 1, y.matrix(row: row), 1, y.columns)
                } else {
                    y.matrix(row: row).start.update(from: bias.base, count: y.columns)
                }
            }
        }
    }
}

/// `c = a · b` or `c += a · b` over strided memory; one of `a`'s and one of `b`'s strides is 1.
private struct Product {
    let a: UnsafeMutablePointer<Float>
    let aRow: Int
    let aColumn: Int
    let b: UnsafeMutablePointer<Float>
    let bRow: Int
    let bColumn: Int
    let c: UnsafeMutablePointer<Float>
    let cRow: Int
    let rows: Int
    let columns: Int
    let depth: Int
    let accumulating: Bool
}

extension CPUEngine {
    /// Tiles do not depend on the number of threads, nor an element on its tile.
    private func multiply(_ x: Product) {
        let (tileRows, tileColumns) = (Int(MTL_GEMM_TILE_ROWS), Int(MTL_GEMM_TILE_COLUMNS))
        let across = (x.columns + tileColumns - 1) / tileColumns
        let down = (x.rows + tileRows - 1) / tileRows
        switch matrixKernel {
        case .native:
            var product = mtl_gemm(
                a: x.a, a_row: x.aRow, a_column: x.aColumn, b: x.b, b_row: x.bRow,
                b_column: x.bColumn, c: x.c, c_row: x.cRow, rows: x.rows, columns: x.columns,
                depth: x.depth, accumulate: x.accumulating)
            let floats = mtl_gemm_scratch(&product)
            pool.run(across * down) { [product] tile, worker in
                withUnsafePointer(to: product) {
                    mtl_gemm_tile(
                        isa, $0, tile / across * tileRows, tile % across * tileColumns,
                        scratch(worker: worker, floats: floats))
                }
            }
        case .openblas:
            pool.run(across * down) { tile, _ in
                let (row, column) = (tile / across * tileRows, tile % across * tileColumns)
                cblas_sgemm(
                    CblasRowMajor, x.aColumn == 1 ? CblasNoTrans : CblasTrans,
                    x.bColumn == 1 ? CblasNoTrans : CblasTrans,
                    blasint(min(tileRows, x.rows - row)),
                    blasint(min(tileColumns, x.columns - column)), blasint(x.depth), 1,
                    x.a + row * x.aRow, blasint(max(x.aRow, x.aColumn)),
                    x.b + column * x.bColumn, blasint(max(x.bRow, x.bColumn)),
                    x.accumulating ? 1 : 0, x.c + row * x.cRow + column, blasint(x.cRow))
            }
        }
    }
}
