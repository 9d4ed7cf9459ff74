import CThreads

/// Threads that divide the work of one kernel.
///
/// Which thread runs which part is not fixed: a part's result must depend on its index alone, which
/// is how a run gives the same bits for any number of threads.
public final class ThreadPool {
    private let pool: OpaquePointer
    /// The number of threads, the calling one included.
    public let threads: Int

    /// Starts the threads.
    ///
    /// - Parameter threads: At least 1. If the system refuses to start as many, one thread works.
    public init(threads: Int) {
        precondition(threads >= 1, "\(threads) threads, expected at least 1")
        if let pool = mtl_pool_create(threads) {
            self.pool = pool
            self.threads = threads
        } else if let pool = mtl_pool_create(1) {
            self.pool = pool
            self.threads = 1
        } else {
            preconditionFailure("no memory for a thread pool")
        }
    }

    deinit { mtl_pool_destroy(pool) }

    /// Runs `part` for every index in `0..<count`, in parallel, and returns when all are done.
    ///
    /// - Parameters:
    ///   - count: The number of parts.
    ///   - part: Called with the part's index and the number of the worker that runs it, in
    ///     `0..<threads`, for scratch memory. Must not call ``run(_:_:)`` of the same pool.
    public func run(_ count: Int, _ part: (_ index: Int, _ worker: Int) -> Void) {
        guard count > 0 else { return }
        withoutActuallyEscaping(part) { part in
            var job = Job(part: part)
            withUnsafeMutablePointer(to: &job) { job in
                mtl_pool_run(
                    pool,
                    { context, index, worker in
                        context?.assumingMemoryBound(to: Job.self).pointee.part(index, worker)
                    }, job, count)
            }
        }
    }
}

/// The closure of a running job, passed through C by its address.
private struct Job {
    let part: (Int, Int) -> Void
}
