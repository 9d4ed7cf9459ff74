import Testing

@testable import Kernels

@Suite("Engines that cannot start")
struct EngineErrorTests {
    @Test("a missing OpenBLAS is told with its package and what goes without")
    func noOpenBLAS() {
        #expect(
            "\(EngineError.noOpenBLAS(reason: "libopenblas.so.0: cannot open shared object file"))"
                == "OpenBLAS cannot be opened: libopenblas.so.0: cannot open shared object file; install the "
                + "package libopenblas0, or choose the engine native and the scan kernel fused")
    }
}
