import Kernels
import MambaLM
import Tensors

/// The cost of a token as one record grows.
struct LengthsPart {
    /// A training step on one record.
    struct Row: Codable {
        let tokens: Int
        let secondsAToken: Double
        /// The most memory that the process had used by then, in bytes; lengths rise.
        let peakBytes: Int
        /// The growth over the memory before the first step, for each token.
        let bytesAToken: Double
    }

    let engine: CPUEngine
    let folder: String
    let lengths: [Int]
    let progress: Progress

    func run() throws -> [Row] {
        let bench = try ModelBench(folder: folder, engine: engine)
        let vocabulary = bench.model.configuration.vocabulary
        // Everything that does not grow with the record: weights, adapter, logits.
        bench.train([BenchRecord(length: 512, seed: 0, vocabulary: vocabulary)])
        var rows: [Row] = []
        let base = (Processor.peakBytes ?? 0) - 512 * perToken(bench.model.configuration)
        for length in lengths {
            let record = BenchRecord(length: length, seed: 1, vocabulary: vocabulary)
            // Short records are measured as often as fits into the time of about 4,000 tokens.
            let timing = Timing(
                (0..<max(1, 4096 / length)).map { _ in
                    Stopwatch(budget: 0).seconds { bench.train([record]) }
                })
            let peak = Processor.peakBytes ?? 0
            rows.append(
                Row(
                    tokens: length, secondsAToken: timing.median / Double(length),
                    peakBytes: peak, bytesAToken: Double(peak - base) / Double(length)))
            progress.show("one record of \(length) tokens", timing.median)
        }
        return rows
    }

    /// The inputs of all blocks, which must be there for 512 tokens already.
    private func perToken(_ configuration: MambaConfiguration) -> Int {
        4 * configuration.model * (configuration.layers + 1)
    }
}
