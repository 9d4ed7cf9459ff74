import CKernels
import Tensors

extension CPUEngine {
    /// `y = x · weightᵀ + left · rightᵀ + bias + addend`; the term last unless both are one product.
    public func linear(
        _ x: Tensor, weight: WeightMatrix, plus term: LowRankProduct?, bias: Tensor?,
        adding addend: Tensor?, into y: Tensor
    ) {
        precondition(
            x.columns == weight.columns && y.shape == [x.rows, weight.rows],
            "x is \(x.shape), weight is \(weight.shape), y is \(y.shape)")
        precondition(
            bias.map { $0.count == y.columns } ?? true,
            "bias is \(bias?.shape ?? []), y is \(y.shape)")
        var product = mtl_gemm(x, weight, to: y, adding: addend)
        product.b_is_transposed = true
        product.bias = bias.map { UnsafePointer($0.base) }
        let isFused = fuses(term, by: weight, rows: x.rows)
        withExtendedLifetime(weight) { multiply(product, by: weight, plus: isFused ? term : nil) }
        guard let term, !isFused else { return }
        linear(
            term.left, weight: WeightMatrix(term.right), plus: nil, bias: nil, adding: y, into: y)
    }

    /// `gradX = gradY · weight + left · right + addend`; the term last unless both are one product.
    public func linearInputGradient(
        _ gradY: Tensor, weight: WeightMatrix, plus term: LowRankProduct?, adding addend: Tensor?,
        into gradX: Tensor
    ) {
        precondition(
            gradY.columns == weight.rows && gradX.shape == [gradY.rows, weight.columns],
            "gradY is \(gradY.shape), weight is \(weight.shape), gradX is \(gradX.shape)")
        let product = mtl_gemm(gradY, weight, to: gradX, adding: addend)
        let isFused = fuses(term, by: weight, rows: gradY.rows)
        withExtendedLifetime(weight) { multiply(product, by: weight, plus: isFused ? term : nil) }
        guard let term, !isFused else { return }
        linearInputGradient(
            term.left, weight: WeightMatrix(term.right), plus: nil, adding: gradX, into: gradX)
    }

    /// Whether a weight is multiplied on matrix tiles.
    public func fusesLowRankProducts(by weight: WeightMatrix) -> Bool {
        multipliesOnTiles && weight.format == .bfloat16 && weight.rows % 2 == 0
            && weight.columns % 2 == 0
    }

    /// Few rows are multiplied in another order, and a high rank costs more than two products.
    private func fuses(_ term: LowRankProduct?, by weight: WeightMatrix, rows: Int) -> Bool {
        guard let term, rows > 16, term.left.columns <= 64 else { return false }
        return fusesLowRankProducts(by: weight)
    }

    /// `gradWeight += gradYᵀ · x`.
    public func linearWeightGradient(_ gradY: Tensor, x: Tensor, into gradWeight: Tensor) {
        precondition(
            gradY.rows == x.rows && gradWeight.shape == [gradY.columns, x.columns],
            "gradY is \(gradY.shape), x is \(x.shape), gradWeight is \(gradWeight.shape)")
        // The left factor is packed for every tile: where x is much narrower, it takes that place, and
        // the result is written column by column.
        let exchanges = matrixKernel == .native && 8 * x.columns <= gradY.columns
        var product =
            exchanges
            ? mtl_gemm(x, WeightMatrix(gradY), to: gradWeight, adding: gradWeight)
            : mtl_gemm(gradY, WeightMatrix(x), to: gradWeight, adding: gradWeight)
        (product.a_row, product.a_column) = (1, product.a_row)
        product.depth = x.rows
        if exchanges {
            product.rows = x.columns
            product.columns = gradY.columns
            product.c_row = 1
            product.c_column = gradWeight.rowStride
            product.addend_row = 1
        }
        multiply(product)
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

    /// Computes a product; how it is divided changes no bit of it.
    ///
    /// - Parameters:
    ///   - product: What is computed.
    ///   - weight: The right factor, if it stays as it is.
    ///   - term: What is added on matrix tiles.
    private func multiply(
        _ product: mtl_gemm, by weight: WeightMatrix? = nil, plus term: LowRankProduct? = nil
    ) {
        if matrixKernel == .openblas {
            multiplyWithBLAS(product)
        } else if multipliesInBFloat16, case .bfloat16(let memory) = weight?.elements,
            product.depth % 2 == 0
        {
            multiplyRounded(product, by: memory, plus: term)
        } else if multipliesWholeNumbers(weight, depth: product.depth), product.b_is_transposed {
            multiplyWholeNumbers(product)
        } else {
            multiplyInTiles(product)
        }
    }

    /// As many rows as a tile takes at most: the weight is packed no more often than it would be.
    private static let roundedRows = 2048

    /// The rows that a matrix tile may read after the last one.
    private static let roundedMargin = 31

    /// The lanes of a rounded row, two values each: zeros to the end of a matrix tile.
    private static func roundedLanes(depth: Int) -> Int { (depth / 2 + 15) / 16 * 16 }

    /// The length of a rounded row: a line more than it is wide, see ``rowStride(columns:)``.
    private static func roundedRow(depth: Int) -> Int { roundedLanes(depth: depth) + 16 }

    /// The rounded factor.
    public func productBytes(rows: Int, depth: Int, format: WeightMatrix.Format) -> Int {
        guard
            multipliesInBFloat16 && format == .bfloat16
                || multipliesInWholeNumbers && format == .int8
        else { return 0 }
        let rows = min(rows, Self.roundedRows) + Self.roundedMargin
        return 4 * rows * Self.roundedRow(depth: depth)
    }

    /// The orders that matrix tiles read it in.
    public func keptBytes(beside weight: WeightMatrix) -> Int {
        matrixKernel == .native ? PackedWeights.byteCount(of: weight, on: pairedISA) : 0
    }

    /// Computes a product with the left factor rounded to bfloat16, as the right one is.
    private func multiplyRounded(
        _ product: mtl_gemm, by weight: Memory, plus term: LowRankProduct?
    ) {
        let most = Self.roundedRows
        let lanes = product.depth / 2, padded = Self.roundedLanes(depth: product.depth)
        let rank = term?.left.columns ?? 0
        let extra = mtl_gemm_low_rank_lanes(rank)
        let row = Self.roundedRow(depth: product.depth) + extra
        let panels = (product.columns + 31) / 32
        let right = scratch(
            worker: pool.threads,
            floats: panels * 32 * extra + (min(product.rows, most) + Self.roundedMargin) * row)
        let pairs = right + panels * 32 * extra
        if let term {
            pool.run(panels) { panel, _ in
                mtl_gemm_pack_right(
                    term.right.base, term.right.rowStride, product.b_is_transposed, rank,
                    product.columns, panel, right)
            }
        }
        for first in stride(from: 0, to: product.rows, by: most) {
            var part = product
            part.rows = min(most, product.rows - first)
            let a = product.a + first * product.a_row
            run(part.rows, work: part.rows * part.depth / 8) { index, _ in
                mtl_round(
                    isa, a + index * product.a_row, product.depth, MTL_BFLOAT16,
                    pairs + index * row, nil)
                (pairs + index * row + lanes).update(repeating: 0, count: padded - lanes)
                guard let term else { return }
                mtl_gemm_split_left(
                    term.left.base + (first + index) * term.left.rowStride, rank,
                    pairs + index * row + padded)
            }
            part.a = UnsafePointer(pairs)
            part.a_row = row
            part.a_is_paired = true
            part.c += first * product.c_row
            part.addend = product.addend.map { $0 + first * product.addend_row }
            part.packed = PackedWeights.packed(weight, for: part, by: self)
            part.low_rank = UnsafePointer(right)
            part.low_rank_lanes = extra
            multiplyInTiles(part)
        }
    }

    /// Whether products by a weight round the other factor to whole numbers.
    private func multipliesWholeNumbers(_ weight: WeightMatrix?, depth: Int) -> Bool {
        multipliesInWholeNumbers && weight?.format == .int8 && depth % 2 == 0 && depth > 0
    }

    /// Computes a product by a weight in int8 with the left factor in integers of 16 bits.
    private func multiplyWholeNumbers(_ product: mtl_gemm) {
        let row = Self.roundedRow(depth: product.depth)
        let stretches = mtl_gemm_scales(product.depth)
        let most = min(product.rows, Self.roundedRows)
        let pairs = scratch(worker: pool.threads, floats: most * (row + stretches))
        let scales = pairs + most * row
        for first in stride(from: 0, to: product.rows, by: Self.roundedRows) {
            var part = product
            part.rows = min(Self.roundedRows, product.rows - first)
            let a = product.a + first * product.a_row
            run(part.rows, work: part.rows * part.depth / 4) { index, _ in
                mtl_gemm_round_left(
                    isa, a + index * product.a_row, product.depth, pairs + index * row,
                    scales + index * stretches)
            }
            part.a = UnsafePointer(pairs)
            part.a_row = row
            part.a_is_paired = true
            part.a_scales = UnsafePointer(scales)
            part.a_scales_row = stretches
            part.c += first * product.c_row
            part.addend = product.addend.map { $0 + first * product.addend_row }
            multiplyInTiles(part)
        }
    }

    private func multiplyInTiles(_ product: mtl_gemm) {
        let isa = product.a_is_paired && product.a_scales == nil ? pairedISA : isa
        withUnsafePointer(to: product) { product in
            var plan = mtl_gemm_divide(isa, product, pool.threads)
            withUnsafePointer(to: &plan) { plan in
                pool.run(plan.pointee.tiles) { tile, worker in
                    mtl_gemm_tile(
                        isa, product, plan, tile,
                        scratch(worker: worker, floats: plan.pointee.scratch))
                }
            }
        }
    }
}

extension mtl_gemm {
    /// `c = a · b + addend`, or `a · bᵀ` if it is said to be transposed.
    fileprivate init(_ a: Tensor, _ b: WeightMatrix, to c: Tensor, adding addend: Tensor?) {
        precondition(
            addend.map { $0.shape == c.shape } ?? true,
            "\(addend?.shape ?? []) is added, the result is \(c.shape)")
        self.init()
        self.a = UnsafePointer(a.base)
        a_row = a.rowStride
        a_column = 1
        self.b = b.cMatrix
        self.addend = addend.map { UnsafePointer($0.base) }
        addend_row = addend?.rowStride ?? 0
        self.c = c.base
        c_row = c.rowStride
        c_column = 1
        rows = c.rows
        columns = c.columns
        depth = a.columns
    }
}

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
