/// Why an engine cannot be started.
public enum EngineError: Error, Equatable {
    /// The library of OpenBLAS cannot be opened.
    case noOpenBLAS(reason: String)
    /// OpenBLAS would not get the memory that its threads take.
    case openBLASMemory(threads: Int, bytes: Int)
}

extension EngineError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .noOpenBLAS(let reason):
            "OpenBLAS cannot be opened: \(reason); install the package libopenblas0, "
                + "or choose the engine native and the scan kernel fused"
        case .openBLASMemory(let threads, let bytes):
            "OpenBLAS takes up to \(bytes >> 20) MiB with \(threads) thread\(threads == 1 ? "" : "s"), "
                + "which the limit of memory (ulimit -v) does not leave; take fewer threads, "
                + "or the engine native and the scan kernel fused"
        }
    }
}
