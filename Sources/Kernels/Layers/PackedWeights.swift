import CKernels
import Tensors

/// A weight in bfloat16 in the order that matrix tiles read it in.
///
/// Reordering takes as long as a product by some hundred rows, so it is done once, when many rows are first multiplied
/// by the weight, and kept with its memory: as much again for `x · weightᵀ`, and for `gradY · weight`.
final class PackedWeights {
    private var forward: Memory?
    private var backward: Memory?

    /// What both forms of a weight take, in bytes; 0 where it is read as it lies.
    static func byteCount(of weight: WeightMatrix, on isa: mtl_isa) -> Int {
        guard weight.format == .bfloat16 else { return 0 }
        return [true, false].reduce(0) { bytes, isForward in
            var product = mtl_gemm()
            (product.a_is_paired, product.b_is_transposed) = (true, isForward)
            product.rows = .max
            (product.columns, product.depth) =
                isForward ? (weight.rows, weight.columns) : (weight.columns, weight.rows)
            // Odd depths are multiplied in single precision.
            guard product.depth % 2 == 0 else { return bytes }
            return bytes + MemoryLayout<Float>.stride * mtl_gemm_packed_size(isa, &product)
        }
    }

    /// The right factor of a product in that order, packed now if it was not yet.
    ///
    /// - Parameters:
    ///   - weight: The memory of the factor, which nobody writes to any more.
    ///   - product: The product; its left factor is rounded.
    ///   - engine: Who computes it.
    /// - Returns: The first element; `nil` where the product reads the weight as it lies.
    static func packed(
        _ weight: Memory, for product: mtl_gemm, by engine: CPUEngine
    ) -> UnsafePointer<Float>? {
        withUnsafePointer(to: product) { product in
            let floats = mtl_gemm_packed_size(engine.pairedISA, product)
            guard floats > 0 else { return nil }
            let forms = weight.companion as? PackedWeights ?? PackedWeights()
            weight.companion = forms
            let path: ReferenceWritableKeyPath<PackedWeights, Memory?> =
                product.pointee.b_is_transposed ? \.forward : \.backward
            let memory = forms[keyPath: path] ?? Memory(hostBytes: floats * 4)
            let elements = memory.address.assumingMemoryBound(to: Float.self)
            if forms[keyPath: path] == nil {
                engine.pool.run((product.pointee.columns + 31) / 32) { panel, _ in
                    mtl_gemm_pack(product, panel, elements)
                }
                forms[keyPath: path] = memory
            }
            return UnsafePointer(elements)
        }
    }
}
