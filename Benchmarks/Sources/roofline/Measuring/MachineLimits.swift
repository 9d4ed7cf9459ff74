import CRoofline
import Kernels
import Tensors
import Threads

/// What the machine can do at most with some threads, measured.
struct MachineLimits: Codable {
    /// The bytes that a set of operands takes, and how fast memory of that size is worked through.
    struct Bandwidth: Codable {
        /// All operands together, over all threads.
        let footprint: Int
        /// Bytes a second when all is only read.
        let read: Double
        /// Bytes a second when a third is written.
        let triad: Double
    }

    /// The threads that measured.
    let threads: Int
    /// Operations a second with 32-bit floats.
    let float32: Double
    /// The same for products of bfloat16, on matrix tiles where there are some; nil where the processor has none.
    let bfloat16: Double?
    /// The same for dot products of 8-bit integers; nil where the processor has none.
    let int8: Double?
    /// From caches to memory.
    let bandwidths: [Bandwidth]

    /// Measures, for about five seconds.
    ///
    /// - Parameters:
    ///   - engine: Whose threads and instructions are measured.
    ///   - largest: The bytes of the largest set of operands, which must exceed all caches.
    init(of engine: CPUEngine, largest: Int) {
        let pool = engine.pool
        threads = pool.threads
        float32 = Self.peak(pool, roof_float32)
        bfloat16 =
            engine.instructionSet == .amx
            ? Self.peak(pool, roof_bfloat16_tiles)
            : roof_has_bfloat16() ? Self.peak(pool, roof_bfloat16) : nil
        int8 = roof_has_int8() ? Self.peak(pool, roof_int8) : nil
        let memory = (0..<pool.threads).map { _ in Operands(bytes: largest / pool.threads) }
        var sizes = [1 << 20, 8 << 20, 32 << 20, 128 << 20].filter { $0 < largest }
        sizes.append(largest)
        bandwidths = sizes.map { size in
            Bandwidth(
                footprint: size, read: Self.speed(pool, size, memory) { $0.read($1) },
                triad: Self.speed(pool, size, memory) { $0.triad($1) })
        }
    }

    /// The better of two measurements of each limit: neighbours of a virtual machine only slow it.
    func best(with other: MachineLimits) -> MachineLimits {
        MachineLimits(
            threads: threads, float32: max(float32, other.float32),
            bfloat16: bfloat16.map { max($0, other.bfloat16 ?? 0) },
            int8: int8.map { max($0, other.int8 ?? 0) },
            bandwidths: zip(bandwidths, other.bandwidths).map {
                Bandwidth(
                    footprint: $0.footprint, read: max($0.read, $1.read),
                    triad: max($0.triad, $1.triad))
            })
    }

    private init(
        threads: Int, float32: Double, bfloat16: Double?, int8: Double?, bandwidths: [Bandwidth]
    ) {
        (self.threads, self.float32, self.bandwidths) = (threads, float32, bandwidths)
        (self.bfloat16, self.int8) = (bfloat16, int8)
    }

    /// The shortest time that work can take, by arithmetic or by memory, in seconds.
    func seconds(for work: Work) -> Double {
        max(arithmeticSeconds(for: work), work.bytes / bandwidth(for: work.bytes).triad)
    }

    /// What bounds the work.
    func isBoundByMemory(_ work: Work) -> Bool {
        arithmeticSeconds(for: work) < work.bytes / bandwidth(for: work.bytes).triad
    }

    private func arithmeticSeconds(for work: Work) -> Double {
        let pairs = work.bfloat16Flops == 0 ? 0 : work.bfloat16Flops / (bfloat16 ?? float32)
        return work.flops / float32 + pairs
    }

    /// The speed of the smallest measured set that holds all operands.
    func bandwidth(for bytes: Double) -> Bandwidth {
        bandwidths.first { Double($0.footprint) >= bytes } ?? bandwidths[bandwidths.count - 1]
    }

    /// The best of several rounds: anything else the machine does only slows them.
    private static func peak(
        _ pool: ThreadPool, _ loop: @convention(c) (Int) -> Double
    ) -> Double {
        var best = 0.0
        for rounds in [200_000, 4_000_000, 4_000_000, 4_000_000] {
            let seconds = Stopwatch(budget: 0).seconds {
                pool.run(pool.threads) { _, _ in _ = loop(rounds) }
            }
            best = max(best, loop(1) * Double(rounds * pool.threads) / seconds)
        }
        return best
    }

    /// Bytes a second, the best of several rounds of 20 ms or more.
    private static func speed(
        _ pool: ThreadPool, _ bytes: Int, _ memory: [Operands], _ pass: (Operands, Int) -> Void
    ) -> Double {
        let part = bytes / pool.threads
        let passes = max(1, (256 << 20) / bytes)
        var best = 0.0
        for _ in 0..<6 {
            let seconds = Stopwatch(budget: 0).seconds {
                pool.run(pool.threads) { index, _ in
                    for _ in 0..<passes { pass(memory[index], part) }
                }
            }
            best = max(best, Double(part * passes * pool.threads) / seconds)
        }
        return best
    }
}

/// One thread's memory.
private final class Operands {
    private let elements: Tensor

    init(bytes: Int) { elements = Tensor(shape: [bytes / 4], repeating: 1) }

    /// Reads some bytes.
    func read(_ bytes: Int) {
        elements.withUnsafeMutableElements { elements in
            if let start = elements.baseAddress { _ = roof_read(start, bytes / 4) }
        }
    }

    /// Reads two thirds of some bytes and writes one.
    func triad(_ bytes: Int) {
        let count = bytes / 12
        elements.withUnsafeMutableElements { elements in
            guard let start = elements.baseAddress else { return }
            roof_triad(start, start + count, start + 2 * count, count)
        }
    }
}
