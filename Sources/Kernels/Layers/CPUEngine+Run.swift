extension CPUEngine {
    /// Calls `part` for every index in `0..<count`, in parallel unless there is too little to do.
    ///
    /// - Parameters:
    ///   - count: The number of parts.
    ///   - work: A rough cost of all parts, in nanoseconds of one thread.
    ///   - part: Called with the part's index and the number of a worker, for scratch memory.
    func run(_ count: Int, work: Int, _ part: (_ index: Int, _ worker: Int) -> Void) {
        // To wake a thread takes about as long.
        if work < 3000 {
            for index in 0..<count { part(index, 0) }
        } else {
            pool.run(count, part)
        }
    }
}
