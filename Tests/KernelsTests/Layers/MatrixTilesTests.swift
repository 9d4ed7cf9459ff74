import CKernels
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Kernels

/// Products on matrix tiles, emulated where the processor has none, against the definition of the instruction.
@Suite("Matrix tiles")
struct MatrixTilesTests {
    /// Rows, columns and depth of a product, and whether the weight is `[columns, depth]` or `[depth, columns]`.
    struct Product: CustomTestStringConvertible {
        var (rows, columns, depth) = (0, 0, 0)
        var isTransposed = true
        var testDescription: String { "\(rows) x \(columns) x \(depth), \(isTransposed)" }
    }

    static let products = [
        Product(rows: 1, columns: 48, depth: 64), Product(rows: 3, columns: 1, depth: 2),
        Product(rows: 5, columns: 33, depth: 80), Product(rows: 16, columns: 70, depth: 48),
        Product(rows: 17, columns: 70, depth: 48), Product(rows: 33, columns: 65, depth: 1_090),
        Product(rows: 33, columns: 8, depth: 1_090, isTransposed: false),
        Product(rows: 7, columns: 65, depth: 78, isTransposed: false),
        Product(rows: 100, columns: 96, depth: 16, isTransposed: false),
        Product(rows: 2_050, columns: 33, depth: 34),
    ]

    @Test("a weight in the order of tiles is counted, both ways, where it is packed")
    func packedSize() {
        func bytes(_ rows: Int, _ columns: Int, _ format: WeightMatrix.Format) -> Int {
            let weight = makeEngine().rounded(
                Tensor(shape: [rows, columns], repeating: 1), to: format)
            return PackedWeights.byteCount(of: weight, on: MTL_AMX)
        }
        // Panels of 32 columns; lanes of two values, 16 to a tile.
        #expect(bytes(65, 78, .bfloat16) == 4 * 96 * 48)
        #expect(bytes(66, 78, .bfloat16) == 4 * (96 * 48 + 96 * 48))
        #expect(bytes(3072, 768, .bfloat16) == 2 * 2 * 3072 * 768)
        #expect(bytes(66, 78, .float32) == 0 && bytes(66, 78, .int8) == 0)
        let weight = makeEngine().rounded(Tensor(shape: [66, 78], repeating: 1), to: .bfloat16)
        #expect(PackedWeights.byteCount(of: weight, on: MTL_AVX512_BF16) == 0)
    }

    @Test(
        "every bit is the definition's, whatever the threads, edges, addends and bias",
        arguments: products, [1, 3])
    func bits(_ size: Product, _ threads: Int) {
        var generator = SeededGenerator(seed: 3)
        func patterns(_ count: Int) -> [UInt16] {
            (0..<count).map { _ in
                UInt16(
                    truncatingIfNeeded: Float.random(in: -1...1, using: &generator).bitPattern >> 16
                )
            }
        }
        let (rows, columns, depth) = (size.rows, size.columns, size.depth)
        let lanes = depth / 2
        let row = (lanes + 15) / 16 * 16
        let left = patterns(rows * depth)
        let right = patterns(columns * depth)
        let bias = (0..<columns).map { _ in Float.random(in: -1...1, using: &generator) }
        let addend = (0..<rows * columns).map { _ in Float.random(in: -1...1, using: &generator) }
        // What a tile reads beyond the rows must not matter.
        var a = [Float](repeating: 0, count: rows * row) + [Float](repeating: .nan, count: 31 * row)
        for m in 0..<rows {
            for k in 0..<lanes {
                let first = m * depth + 2 * k
                a[m * row + k] = Float(
                    bitPattern: UInt32(left[first]) | UInt32(left[first + 1]) << 16)
            }
        }
        for (hasBias, hasAddend) in [(false, false), (true, false), (true, true)] {
            var c = [Float](repeating: .nan, count: rows * columns)
            multiply(
                size, a, row, right, bias: hasBias ? bias : nil, addend: hasAddend ? addend : nil,
                threads: threads, into: &c)
            var differing = 0
            for m in 0..<rows {
                for n in 0..<columns {
                    var start: Float = hasAddend ? addend[m * columns + n] : 0
                    if hasBias { start += bias[n] }
                    let expected = MatrixTilesTests.sum(depth, from: start) { k in
                        (
                            left[m * depth + k],
                            right[size.isTransposed ? n * depth + k : k * columns + n]
                        )
                    }
                    if c[m * columns + n].bitPattern != expected.bitPattern { differing += 1 }
                }
            }
            #expect(differing == 0)
        }
    }

    /// The sum of the products of `depth` pairs of bfloat16 patterns, as the instruction `tdpbf16ps` rounds it.
    private static func sum(
        _ depth: Int, from start: Float, _ pair: (_ k: Int) -> (UInt16, UInt16)
    ) -> Float {
        var sum = start
        for first in stride(from: 0, to: depth, by: 32) {
            var parts: (even: Float, odd: Float) = (0, 0)
            for k in first..<min(first + 32, depth) {
                let (a, b) = pair(k)
                let left = Float(bitPattern: UInt32(a) << 16)
                let right = Float(bitPattern: UInt32(b) << 16)
                if k % 2 == 0 {
                    parts.even.addProduct(left, right)
                } else {
                    parts.odd.addProduct(left, right)
                }
            }
            sum += parts.even + parts.odd
        }
        return sum
    }

    private func multiply(
        _ size: Product, _ a: [Float], _ row: Int, _ right: [UInt16], bias: [Float]?,
        addend: [Float]?,
        threads: Int, into c: inout [Float]
    ) {
        var product = mtl_gemm()
        (product.rows, product.columns, product.depth) = (size.rows, size.columns, size.depth)
        (product.a_row, product.a_column, product.a_is_paired) = (row, 1, true)
        product.b_is_transposed = size.isTransposed
        (product.addend_row, product.c_row, product.c_column) = (size.columns, size.columns, 1)
        a.withUnsafeBufferPointer { a in
            right.withUnsafeBufferPointer { right in
                (bias ?? []).withUnsafeBufferPointer { biasPointer in
                    (addend ?? []).withUnsafeBufferPointer { addendPointer in
                        c.withUnsafeMutableBufferPointer { c in
                            product.a = a.baseAddress
                            product.b = mtl_weights(
                                values: right.baseAddress,
                                row: size.isTransposed ? size.depth : size.columns,
                                format: MTL_BFLOAT16, scales: nil)
                            product.bias = bias == nil ? nil : biasPointer.baseAddress
                            product.addend = addend == nil ? nil : addendPointer.baseAddress
                            product.c = c.baseAddress
                            // What is packed once gives the same bits as what is packed on the way.
                            let floats = threads > 1 ? mtl_gemm_packed_size(MTL_AMX, &product) : 0
                            let packed = UnsafeMutablePointer<Float>.allocate(capacity: floats)
                            defer { packed.deallocate() }
                            if floats > 0 {
                                for panel in 0..<(size.columns + 31) / 32 {
                                    mtl_gemm_pack(&product, panel, packed)
                                }
                                product.packed = UnsafePointer(packed)
                            }
                            var plan = mtl_gemm_divide(MTL_AMX, &product, threads)
                            let scratch = UnsafeMutableRawPointer.allocate(
                                byteCount: plan.scratch * 4, alignment: 64)
                            defer { scratch.deallocate() }
                            for tile in 0..<plan.tiles {
                                mtl_gemm_tile(
                                    MTL_AMX, &product, &plan, tile,
                                    scratch.assumingMemoryBound(to: Float.self))
                            }
                        }
                    }
                }
            }
        }
    }
}
