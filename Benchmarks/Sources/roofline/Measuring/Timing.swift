/// The seconds of some repetitions of one piece of work.
struct Timing: Codable {
    /// The middle one; half of the repetitions were faster.
    let median: Double
    /// A quarter were faster.
    let p25: Double
    /// A quarter were slower.
    let p75: Double
    /// The fastest.
    let least: Double
    /// How often it was done.
    let repetitions: Int

    /// Summarises measured seconds, at least one.
    init(_ seconds: [Double]) {
        let sorted = seconds.sorted()
        func quantile(_ share: Double) -> Double {
            let place = share * Double(sorted.count - 1)
            let (low, part) = (Int(place), place - Double(Int(place)))
            return sorted[low] * (1 - part) + sorted[min(low + 1, sorted.count - 1)] * part
        }
        (median, p25, p75) = (quantile(0.5), quantile(0.25), quantile(0.75))
        (least, repetitions) = (sorted[0], sorted.count)
    }
}

/// Repeats work until it has been done for some time.
struct Stopwatch {
    /// How long each piece of work is repeated, in seconds; work that takes longer is done once.
    let budget: Double
    private let clock = ContinuousClock()

    init(budget: Double) { self.budget = budget }

    /// Measures work that is long enough for the clock: some microseconds or more.
    ///
    /// The first run warms up and is not counted, unless it alone takes longer than the budget.
    func measure(_ work: () -> Void) -> Timing {
        let first = seconds(work)
        guard first < budget else { return Timing([first]) }
        var all: [Double] = []
        var total = 0.0
        while total < budget || all.count < 3 {
            let taken = seconds(work)
            all.append(taken)
            total += taken
        }
        return Timing(all)
    }

    /// The seconds of one run.
    func seconds(_ work: () -> Void) -> Double {
        let taken = clock.measure(work).components
        return Double(taken.seconds) + Double(taken.attoseconds) * 1e-18
    }
}
