import CKernels

/// The instruction sets that the kernels are compiled for, in rising order.
public enum InstructionSet: String, CaseIterable, Comparable, Sendable {
    /// What every processor of the architecture has.
    case portable
    /// AVX2 with fused multiply-add.
    case avx2
    /// AVX-512 F, BW, DQ and VL.
    case avx512

    /// The highest set that this processor runs.
    public static var best: InstructionSet {
        switch mtl_best_isa() {
        case MTL_AVX512: .avx512
        case MTL_AVX2: .avx2
        default: .portable
        }
    }

    /// Those this processor runs.
    public static var available: [InstructionSet] { allCases.filter { $0 <= best } }

    var isa: mtl_isa {
        switch self {
        case .portable: MTL_PORTABLE
        case .avx2: MTL_AVX2
        case .avx512: MTL_AVX512
        }
    }

    /// Orders by capability.
    public static func < (left: InstructionSet, right: InstructionSet) -> Bool {
        left.isa.rawValue < right.isa.rawValue
    }
}
