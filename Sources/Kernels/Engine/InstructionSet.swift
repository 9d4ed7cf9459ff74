import CKernels

/// The instruction sets that the kernels are compiled for, in rising order.
public enum InstructionSet: String, CaseIterable, Comparable, Sendable {
    /// What every processor of the architecture has.
    case portable
    /// AVX2 with fused multiply-add.
    case avx2
    /// AVX-512 F, BW, DQ and VL.
    case avx512
    /// The same with dot products of pairs of bfloat16: weights in that format are multiplied by operands that
    /// are rounded to it.
    case avx512bf16

    /// The fastest set that this processor runs.
    ///
    /// Not the highest where dot products of bfloat16 are slower than multiply-adds of single precision: on Intel's
    /// processors without matrix tiles they take twice as long (measured on Emerald Rapids).
    public static var best: InstructionSet {
        switch mtl_best_isa() {
        case MTL_AVX512_BF16: .avx512bf16
        case MTL_AVX512: .avx512
        case MTL_AVX2: .avx2
        default: .portable
        }
    }

    /// Those this processor runs.
    public static var available: [InstructionSet] { allCases.filter { mtl_runs($0.isa) } }

    var isa: mtl_isa {
        switch self {
        case .portable: MTL_PORTABLE
        case .avx2: MTL_AVX2
        case .avx512: MTL_AVX512
        case .avx512bf16: MTL_AVX512_BF16
        }
    }

    /// Orders by capability.
    public static func < (left: InstructionSet, right: InstructionSet) -> Bool {
        left.isa.rawValue < right.isa.rawValue
    }
}
