import Glibc
import Threads
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

    @Test("many short jobs all finish")
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

    @Test("threads that went to sleep are woken, whoever waits for whom")
    func sleepingThreads() {
        // Threads spin for some 50 microseconds before they sleep; these pauses are far longer.
        let pause: UInt32 = 2_000
        let pool = ThreadPool(threads: 3)
        var sums = [Int](repeating: 0, count: 3)
        for round in 1...60 {
            // Before the job all workers sleep; then all but one wait for the slow one.
            usleep(pause)
            sums.withUnsafeMutableBufferPointer { sums in
                nonisolated(unsafe) let sums = sums
                pool.run(3) { index, _ in
                    if index == round % 3 { usleep(pause) }
                    sums[index] += round
                }
            }
        }
        #expect(sums.allSatisfy { $0 == 60 * 61 / 2 })
    }
}
