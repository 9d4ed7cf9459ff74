import Glibc
import Kernels
import MambaLM
import Tensors

/// A long session: token after token from one state, as in a chat that never forgets.
struct SessionPart {
    /// Some hundred tokens of the session.
    struct Row: Codable {
        /// The tokens written so far.
        let tokens: Int
        let secondsAToken: Double
        /// The memory in use now, in bytes.
        let residentBytes: Int
    }

    let engine: CPUEngine
    let folder: String
    let tokens: Int
    let progress: Progress

    func run() throws -> [Row] {
        let bench = try ModelBench(folder: folder, engine: engine)
        let vocabulary = bench.model.configuration.vocabulary
        var state = bench.prefill(BenchRecord(length: 64, seed: 1, vocabulary: vocabulary).tokens)
        let size = max(tokens / 100, 1)
        return stride(from: size, through: tokens, by: size).map { written in
            let seconds = Stopwatch(budget: 0).seconds {
                for _ in 0..<size { state = bench.decode(after: state) }
            }
            progress.show("\(written) tokens, one of them", seconds / Double(size))
            return Row(
                tokens: written, secondsAToken: seconds / Double(size),
                residentBytes: Self.residentBytes)
        }
    }

    /// The memory that the process uses, in bytes; 0 where the system does not tell.
    private static var residentBytes: Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = fread(&bytes, 1, bytes.count, file)
        let fields = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
        return fields.dropFirst().first.flatMap { Int($0) }.map { $0 * Int(getpagesize()) } ?? 0
    }
}
