import Kernels

extension MambaModel {
    /// Tells models apart: the sizes, and a hash of values from every tensor, adapters included.
    ///
    /// Of each tensor 64 values at most are looked at, evenly spread, so that it takes no time. The topology
    /// (``flow``) is not part of it, nor is an adapter's scaling.
    public var fingerprint: String {
        let x = configuration
        var hash = Hash()
        let adapted =
            [embeddings.adapter?.parameters ?? []]
            + (blocks.flatMap(\.mixer.linears) + [lmHead]).map { $0.adapter?.parameters ?? [] }
        for parameter in parameters + adapted.flatMap({ $0 }) { hash.add(parameter) }
        return "mamba \(x.layers)x\(x.model)x\(x.inner)x\(x.state)x\(x.vocabulary) "
            + String(hash.value, radix: 16)
    }
}

/// The hash FNV-1a of 64 bits.
///
/// Source: Fowler, Noll and Vo; constants as published by the authors.
private struct Hash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    mutating func add(_ parameter: Parameter) {
        let matrix = parameter.matrix
        add(parameter.name.utf8)
        add("\(matrix.shape)".utf8)
        guard matrix.count > 0 else { return }
        let samples = min(matrix.count, 64)
        let width = matrix.count / samples
        for sample in 0..<samples {
            // One of each stretch; the prime keeps the places from falling into one column.
            let place = sample * width + sample * 7919 % width
            let bits = matrix[place / matrix.columns, place % matrix.columns].bitPattern
            add([0, 8, 16, 24].map { UInt8(truncatingIfNeeded: bits >> $0) })
        }
    }
}
