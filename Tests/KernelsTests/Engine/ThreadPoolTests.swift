import Kernels
import Testing

@Suite("Thread pool")
struct ThreadPoolTests {
    @Test("every part runs exactly once", arguments: [1, 2, 5])
    func everyPartRunsOnce(threads: Int) {
        let pool = ThreadPool(threads: threads)
        for count in [0, 1, 2, 3, 17, 1000] {
            var runs = [Int](repeating: 0, count: count)
            runs.withUnsafeMutableBufferPointer { runs in
                nonisolated(unsafe) let runs = runs
                pool.run(count) { index, worker in
                    precondition(worker < threads)
                    runs[index] += 1
                }
            }
            #expect(runs.allSatisfy { $0 == 1 })
        }
    }

    @Test("many short jobs, with sleeps between some, all finish")
    func shortJobs() {
        let pool = ThreadPool(threads: 4)
        var sums = [Int](repeating: 0, count: 4)
        for round in 0..<20_000 {
            sums.withUnsafeMutableBufferPointer { sums in
                nonisolated(unsafe) let sums = sums
                pool.run(4) { index, _ in sums[index] += round }
            }
        }
        #expect(sums.allSatisfy { $0 == 20_000 * 19_999 / 2 })
    }
}
