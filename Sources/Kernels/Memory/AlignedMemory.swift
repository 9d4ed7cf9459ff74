import Glibc

/// Memory for numbers.
enum AlignedMemory {
    /// Allocates bytes on a cache line of their own; many, on large pages where the system has them.
    ///
    /// Kernels walk columns of matrices, a row a step: on pages of 4 KiB, nearly every step would
    /// have the processor look a page up.
    static func allocate(bytes: Int) -> UnsafeMutableRawPointer {
        let page = 1 << 21
        guard bytes >= 2 * page else {
            return .allocate(byteCount: max(bytes, 1), alignment: 64)
        }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: page)
        madvise(memory, bytes, MADV_HUGEPAGE)
        return memory
    }
}
