import Kernels
import MambaLM
import Tensors
import Threads

/// What threads gain: measured for all there are, computed for more.
///
/// One training step is run through a ``TimedEngine`` with one thread and with `n`: what is outside
/// of the engine is serial, and of each operation
///
///     serial = (n · T(n) - T(1)) / (n - 1)      parallel = T(1) - serial
///
/// The curve is `serial + parallel / n + jobs · barrier(n)`, where the barrier's cost grows from
/// the measured one in proportion to the threads: each takes its turn at the same counter.
struct ThreadsPart {
    /// The time of an operation in a step, in seconds.
    struct Share: Codable {
        let operation: String
        let calls: Int
        let oneThread: Double
        let allThreads: Double
    }

    /// A point of the curve.
    struct Point: Codable {
        let threads: Int
        let speedup: Double
    }

    /// What was measured and computed.
    struct Result: Codable {
        let tokens: Int
        let threads: Int
        let oneThread: Double
        let allThreads: Double
        /// The empty job of the pool, in seconds.
        let barrier: Double
        let shares: [Share]
        let serial: Double
        let curve: [Point]
    }

    let threads: Int
    let folder: String
    let format: WeightMatrix.Format
    let progress: Progress

    func run() throws -> Result {
        let tokens = 1024
        let single = try step(threads: 1, tokens: tokens)
        let all = try step(threads: threads, tokens: tokens)
        progress.show("training step with 1 thread", single.seconds)
        progress.show("training step with \(threads) threads", all.seconds)
        let shares = single.calls.keys.sorted().map { name in
            Share(
                operation: name, calls: single.calls[name]?.count ?? 0,
                oneThread: single.calls[name]?.seconds ?? 0,
                allThreads: all.calls[name]?.seconds ?? 0)
        }
        let barrier = Self.barrier(threads: threads)
        progress.show("empty job of \(threads) threads", barrier)
        let count = Double(threads)
        // A gain of more than the threads is a matter of caches, not of serial parts below zero.
        let serialOperations = shares.map {
            min($0.oneThread, max(0, (count * $0.allThreads - $0.oneThread) / (count - 1)))
        }
        let outside = max(0, single.seconds - shares.reduce(0) { $0 + $1.oneThread })
        let serial = outside + serialOperations.reduce(0, +)
        let jobs = Double(shares.reduce(0) { $0 + $1.calls })
        let curve = [1, 2, 4, 8, 16, 24, 32, 48, 64].map { n in
            let waiting = n < 2 ? 0 : jobs * barrier * Double(n) / count
            let time = serial + (single.seconds - serial) / Double(n) + waiting
            return Point(threads: n, speedup: single.seconds / time)
        }
        return Result(
            tokens: tokens, threads: threads, oneThread: single.seconds, allThreads: all.seconds,
            barrier: barrier, shares: shares, serial: serial, curve: curve)
    }

    /// The best of three steps after one to warm up, and where its time went.
    private func step(
        threads: Int, tokens: Int
    ) throws -> (seconds: Double, calls: [String: TimedEngine.Calls]) {
        let engine = TimedEngine(CPUEngine(threads: threads))
        let bench = try ModelBench(folder: folder, engine: engine, format: format)
        let vocabulary = bench.model.configuration.vocabulary
        let records = BenchRecord.records(tokens: tokens, vocabulary: vocabulary)
        bench.train(records)
        var best: (seconds: Double, calls: [String: TimedEngine.Calls])?
        for _ in 0..<3 {
            engine.calls = [:]
            let seconds = Stopwatch(budget: 0).seconds { bench.train(records) }
            if seconds < best?.seconds ?? .infinity { best = (seconds, engine.calls) }
        }
        return best ?? (0, [:])
    }

    /// The time of a job with nothing to do, in seconds.
    private static func barrier(threads: Int) -> Double {
        let pool = ThreadPool(threads: threads)
        let count = 2000
        let seconds = (0..<5).map { _ in
            Stopwatch(budget: 0).seconds {
                for _ in 0..<count { pool.run(threads) { _, _ in } }
            }
        }
        return Timing(seconds).median / Double(count)
    }
}
